"""The data path under mmengine's own loop: epochs reach persistent workers, seeds the data set."""

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner


class Recorder(BaseModel):
    """Notes what it is fed."""

    def __init__(self):
        super().__init__(data_preprocessor=dict(type='mmmim.ViewsPreprocessor'))
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.seen, self.pixels = [], []

    def forward(self, inputs, mode='tensor'):
        assert mode == 'loss' and inputs['image'].dtype == torch.float32
        pairs = zip(inputs['epoch'].tolist(), inputs['sample_index'].tolist())
        self.seen.extend(pairs)
        self.pixels.append(inputs['image'])
        return dict(loss=self.weight * inputs['image'].mean())


def train(folder, work_dir, workers):
    model = Recorder()
    loader = dict(
        batch_size=4,
        num_workers=workers,
        persistent_workers=workers > 0,
        drop_last=True,
        sampler=dict(type='mmmim.EpochSampler'),
        collate_fn=dict(type='mmmim.collate_views'),
        worker_init_fn=dict(type='mmmim.worker_init'),
        dataset=dict(
            type='mmmim.ImageFolder',
            data_root=str(folder),
            pipeline=[
                dict(type='mmmim.RandomResizedCrop', size=16),
                dict(type='mmmim.RandomFlip'),
            ],
        ),
    )
    runner = Runner(
        model=model,
        work_dir=str(work_dir),
        train_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=3),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(checkpoint=None, logger=None),
        randomness=dict(seed=21),
        log_level='ERROR',
        experiment_name=f'data{workers}',
    )
    runner.train()
    assert runner.train_dataloader.dataset.seed == 21
    return model


@pytest.fixture
def without_workers(folder, tmp_path):
    return train(folder, tmp_path / 'a', workers=0)


def test_epochs_and_seed_arrive(without_workers):
    seen = without_workers.seen
    assert [epoch for epoch, _ in seen] == [0] * 12 + [1] * 12 + [2] * 12
    orders = [[index for _, index in seen[start : start + 12]] for start in (0, 12, 24)]
    assert all(sorted(order) == list(range(12)) for order in orders)
    assert orders[0] != orders[1] != orders[2]


def test_persistent_workers_change_nothing(without_workers, folder, tmp_path):
    other = train(folder, tmp_path / 'b', workers=2)
    assert other.seen == without_workers.seen
    assert all(torch.equal(a, b) for a, b in zip(other.pixels, without_workers.pixels))

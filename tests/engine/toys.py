"""A model of one layer and a data set of vectors, run by a real runner."""

import torch
from mmengine.model import BaseModel
from torch import nn
from torch.utils.data import Dataset


class ToyData(Dataset):
    """``count`` vectors with their targets, the same at each call."""

    def __init__(self, count=16):
        generator = torch.Generator().manual_seed(3)
        self.vectors = torch.randn(count, 6, generator=generator)

    def __len__(self):
        return len(self.vectors)

    def __getitem__(self, index):
        return dict(inputs=self.vectors[index])


class ToyModel(BaseModel):
    """Regression of the mean; ``norm`` puts a layer between."""

    def __init__(self, norm=None):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(6, 6), norm or nn.Tanh(), nn.Linear(6, 1))
        self.seen = []

    def forward(self, inputs, mode='tensor'):
        pred = self.net(inputs)
        loss = (pred - inputs.mean(-1, keepdim=True)).square().mean()
        self.seen.append(loss.item())
        return dict(loss_value=loss) if mode == 'loss' else pred


def toy_config(folder, batch=4, count=16, epochs=2, **changes):
    """A runnable config; ``changes`` are top-level keys."""
    keys = dict(
        model=ToyModel(),
        work_dir=str(folder),
        train_dataloader=dict(
            dataset=ToyData(count),
            sampler=dict(type='DefaultSampler', shuffle=False),
            batch_size=batch,
            num_workers=0,
            collate_fn=dict(type='default_collate'),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(
            type='mmmim.OptimWrapper',
            constructor='mmmim.LayerDecayOptimWrapperConstructor',
            optimizer=dict(type='SGD', lr=0.1),
        ),
        default_hooks=dict(
            runtime_info=dict(type='mmmim.LossMeterHook'),
            timer=dict(type='mmmim.TimerHook'),
            logger=dict(type='mmmim.ProgressHook', interval=2),
            param_scheduler=dict(type='mmmim.ParamSchedulerHook'),
            checkpoint=dict(type='mmmim.CheckpointHook', interval=1, max_keep_ckpts=2),
        ),
        log_processor=dict(type='mmmim.LogProcessor'),
        default_scope='mmengine',
        randomness=dict(seed=0),
        # Loggers are shared by name, and a run's default name is the second it starts in.
        experiment_name=f'{folder.name}-{batch}-{epochs}',
    )
    keys.update(changes)
    return keys


def scalars(runner, name):
    """What the hub recorded under ``train/name``."""
    values, _ = runner.message_hub.get_scalar(f'train/{name}').data
    return values.tolist()

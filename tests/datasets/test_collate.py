import pytest
import torch
from mmengine.registry import FUNCTIONS
from mmengine.runner import Runner

from mmmim.datasets import collate_views


def sample(index, size=4):
    image = torch.full((3, size, size), index, dtype=torch.uint8)
    return dict(image=image, wide=image.repeat(1, 2, 2), sample_index=index, epoch=9)


def test_views_are_stacked_by_name():
    batch = collate_views([sample(i) for i in (5, 1, 3)])
    assert list(batch) == ['inputs']
    views = batch['inputs']
    assert views['image'].shape == (3, 3, 4, 4) and views['wide'].shape == (3, 3, 8, 8)
    assert views['image'].dtype == torch.uint8 and views['image'].is_contiguous()
    assert views['image'][:, 0, 0, 0].tolist() == views['sample_index'].tolist() == [5, 1, 3]
    assert views['sample_index'].dtype == views['epoch'].dtype == torch.int64
    assert views['epoch'].tolist() == [9, 9, 9]


def test_views_of_different_size_are_named():
    with pytest.raises(
        ValueError,
        match=r"view 'image' has shape \(3, 4, 4\) in sample 1 and \(3, 5, 5\) in sample 2",
    ):
        collate_views([sample(1), sample(2, size=5)])


def test_registered_for_the_runner():
    assert FUNCTIONS.get('mmmim.collate_views') is collate_views
    assert callable(FUNCTIONS.get('mmmim.worker_init'))


@pytest.mark.parametrize('workers', [0, 2])
def test_mmengine_builds_the_loader(folder, workers):
    config = dict(
        batch_size=4,
        num_workers=workers,
        persistent_workers=workers > 0,
        drop_last=True,
        sampler=dict(type='mmmim.EpochSampler', shuffle=True),
        collate_fn=dict(type='mmmim.collate_views'),
        worker_init_fn=dict(type='mmmim.worker_init'),
        dataset=dict(
            type='mmmim.ImageFolder',
            data_root=str(folder),
            pipeline=[dict(type='mmmim.RandomResizedCrop', size=16)],
        ),
    )
    loader = Runner.build_dataloader(config, seed=13)
    assert len(loader) == 3 and loader.dataset.seed == 13
    seen = []
    for epoch in range(2):
        loader.sampler.set_epoch(epoch)
        for batch in loader:
            views = batch['inputs']
            assert views['image'].shape == (4, 3, 16, 16) and (views['epoch'] == epoch).all()
            for image, index in zip(views['image'], views['sample_index'].tolist()):
                assert torch.equal(image, loader.dataset[(epoch, index)]['image'])
            seen += views['sample_index'].tolist()
    assert sorted(seen[:12]) == sorted(seen[12:]) == list(range(12)) and seen[:12] != seen[12:]

"""Images that hooks look at: whole ones of the run, whatever its own pipeline crops."""

import types

import torch
from helpers import data
from mmengine.config import ConfigDict

from mmmim.datasets import ImageFolder
from mmmim.engine.hooks.still_images import dataset_with


def test_the_crop_of_the_run_does_not_stay(tmp_path):
    data.make_images(tmp_path / 'images', 3)
    step = dict(type='mmmim.RandomResizedCrop', size=24, scale=(0.1, 0.2))
    given = dict(type='mmmim.ImageFolder', data_root=str(tmp_path / 'images'), pipeline=[step])
    dataset = ImageFolder(given['data_root'], pipeline=[step])
    assert dataset[0]['image'].shape == (3, 24, 24)
    runner = types.SimpleNamespace(
        train_dataloader=types.SimpleNamespace(dataset=dataset),
        cfg=ConfigDict(train_dataloader=dict(dataset=given)),
    )
    whole = [dict(type='mmmim.ResizeShort', size=32), dict(type='mmmim.CenterCrop', size=32)]
    own, again = dataset_with(runner, whole), dataset_with(runner, whole, given['data_root'])
    for index in range(3):
        assert torch.equal(own[index]['image'], again[index]['image'])
    assert dataset[0]['image'].shape == (3, 24, 24)

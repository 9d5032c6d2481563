"""A model and data that draw random numbers everywhere, so that a resume has much to get wrong."""

import random

import numpy as np
import torch
from mmengine.model import BaseModel
from torch import nn
from torch.utils.data import Dataset

from mmmim.registry import DATASETS, MODELS


@MODELS.register_module(force=True)
class RestlessModel(BaseModel):
    """Dropout from torch, noise from Python's and NumPy's generators; notes its inputs."""

    def __init__(self, width=6):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(width, 8), nn.BatchNorm1d(8), nn.Dropout(0.3))
        self.head = nn.Linear(8, 1)
        self.seen = []

    def forward(self, inputs, mode='tensor'):
        self.seen.append(inputs.clone())
        scale = 1 + 0.1 * random.random() + 0.1 * np.random.rand()
        pred = self.head(self.net(inputs * scale))
        loss = (pred - inputs.mean(-1, keepdim=True)).square().mean()
        return dict(loss=loss) if mode == 'loss' else pred


@DATASETS.register_module(force=True)
class RestlessData(Dataset):
    """Vectors that mmpretrain-like transforms change: from the global generators."""

    def __init__(self, count=24, width=6):
        self.vectors = torch.randn(count, width, generator=torch.Generator().manual_seed(3))

    def __len__(self):
        return len(self.vectors)

    def __getitem__(self, index):
        noise = random.random() + np.random.rand() + torch.rand(())
        return dict(inputs=self.vectors[index] + 0.1 * noise)

    def get_data_info(self, index):
        return dict(width=1 + index % 2, height=1)


def restless_config(folder, batch=4, epochs=3, accumulation=1, iters=None, workers=0, **changes):
    """A runnable config with what mmpretrain, mmdet and mmseg configs have, as plain data."""
    loop = dict(by_epoch=True, max_epochs=epochs)
    if iters is not None:
        loop = dict(by_epoch=False, max_iters=iters)
    unit = dict(by_epoch=iters is None)
    keys = dict(
        model=dict(type='mmmim.RestlessModel'),
        work_dir=str(folder),
        train_dataloader=dict(
            dataset=dict(type='mmmim.SeededDataset', dataset=dict(type='mmmim.RestlessData')),
            sampler=dict(type='mmmim.EpochSampler', endless=iters is not None),
            batch_size=batch,
            num_workers=workers,
            persistent_workers=workers > 0,
            collate_fn=dict(type='default_collate'),
        ),
        train_cfg=loop,
        param_scheduler=[
            dict(type='LinearLR', begin=0, end=1, by_epoch=True, convert_to_iter_based=True)
            if iters is None
            else dict(type='LinearLR', begin=0, end=4, by_epoch=False),
        ],
        optim_wrapper=dict(
            type='mmmim.OptimWrapper',
            accumulative_counts=accumulation,
            optimizer=dict(type='AdamW', lr=0.01),
        ),
        default_hooks=dict(
            runtime_info=dict(type='mmmim.LossMeterHook'),
            timer=dict(type='mmmim.TimerHook'),
            logger=dict(type='mmmim.ProgressHook', interval=2),
            param_scheduler=dict(type='mmmim.ParamSchedulerHook'),
            checkpoint=dict(type='mmmim.CheckpointHook', interval=1, max_keep_ckpts=2, **unit),
        ),
        custom_hooks=[dict(type='EMAHook', momentum=0.1)],
        log_processor=dict(type='mmmim.LogProcessor'),
        default_scope='mmengine',
        randomness=dict(seed=0),
        experiment_name=f'{folder.name}-{batch}-{epochs}-{accumulation}-{iters}',
    )
    keys.update(changes)
    return keys

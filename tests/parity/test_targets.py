"""Targets that must coincide, and those of mmpretrain."""

import mae
import mmpretrain.models  # noqa: F401  registers the losses that the head builds
import numpy as np
import pytest
import torch
from mmpretrain.models.heads import MAEPretrainHead

from mmmim.models.targets import PixelTarget

P = 8
MEAN, STD = np.array([123.675, 116.28, 103.53]), np.array([58.395, 57.12, 57.375])


def statistics(tmp_path, mean, var):
    path = tmp_path / 'stats.npz'
    np.savez(path, mean=np.tile(mean, P * P), var=np.tile(var, P * P), patch_size=P)
    return str(path)


@pytest.mark.parametrize('per_patch', [False, True])
def test_a_global_patch_of_mean_0_and_std_1_is_the_raw_pixel(tmp_path, per_patch):
    stats = statistics(tmp_path, np.zeros(3), np.ones(3))
    target = PixelTarget(P, normalize='patch', stats=stats, per_patch=per_patch)
    plain = PixelTarget(P, normalize='none', per_patch=per_patch)
    batch = mae.views()
    torch.testing.assert_close(target(batch), plain(batch), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize('per_patch', [False, True])
def test_a_global_patch_with_the_channels_statistics_is_the_global_rgb_target(tmp_path, per_patch):
    stats = statistics(tmp_path, MEAN / 255, (STD / 255) ** 2)
    target = PixelTarget(P, normalize='patch', stats=stats, per_patch=per_patch)
    batch = mae.views()
    expected = PixelTarget(P, normalize='rgb', per_patch=per_patch)(batch)
    # eps = 1e-6 beside a variance of 0.05 is a factor of 1e-5.
    torch.testing.assert_close(target(batch), expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize('per_patch', [False, True])
def test_the_target_is_mmpretrains(per_patch):
    batch = mae.views()
    head = MAEPretrainHead(dict(type='PixelReconstructionLoss', criterion='L2'), per_patch, P)
    expected = head.construct_target(batch['image'])
    target = PixelTarget(P, per_patch=per_patch)(batch)
    torch.testing.assert_close(target, expected, rtol=1e-6, atol=1e-6)

"""Mean and variance of every patch dimension over a training set (Robust MAE, Eq. 3).

Pixels are integers, so their sums and sums of squares are kept exactly, in int64: no image is lost
to rounding, parts merge in any order, and any number of processes gives the same bits.
"""

import functools
import json
import os
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from .collate import worker_init
from .sampler import EpochSampler

COMMAND = 'python tools/misc/target_stats.py IMAGE_FOLDER --patch-size {} --out {}'


class PatchStats(NamedTuple):
    """Of RGB in [0, 1]; (p * p * C,) float64 each, a patch's values in the order (p, p, C)."""

    mean: np.ndarray
    var: np.ndarray  # biased: divided by the number of patches


class PatchSums:
    """Running sums over patches.

    Args:
        patch_size (int): Patch side p in pixels.
    """

    def __init__(self, patch_size: int) -> None:
        self.patch_size = patch_size
        self.images = self.patches = 0
        self.total: Tensor | None = None  # (p * p * C,) int64
        self.squares: Tensor | None = None

    def add(self, images: Tensor) -> 'PatchSums':
        """Count images, (N, C, H, W) uint8 with H and W multiples of the patch side."""
        from mmmim.models.tokens import patchify  # here, since models import this module

        if images.dtype != torch.uint8:
            raise TypeError(f'PatchSums takes uint8 images, got {images.dtype}.')
        values = patchify(images, self.patch_size).flatten(0, 1)  # (N * L, p * p * C)
        part = PatchSums(self.patch_size)
        part.images, part.patches = len(images), len(values)
        part.total = values.sum(0, dtype=torch.int64)
        part.squares = values.to(torch.int32).square_().sum(0, dtype=torch.int64)
        return self.merge(part)

    def merge(self, other: 'PatchSums') -> 'PatchSums':
        """Add the sums of other images."""
        if other.total is None:
            return self
        if self.total is None:
            self.total, self.squares = other.total.clone(), other.squares.clone()
        else:
            self.total += other.total
            self.squares += other.squares
        self.images += other.images
        self.patches += other.patches
        return self

    def stats(self) -> PatchStats:
        """Mean and variance, each correctly rounded from exact integers.

        Raises:
            ValueError: If nothing has been counted.
        """
        if not self.patches:
            raise ValueError('no image was read, so there are no patch statistics.')
        n, total, squares = self.patches, self.total.tolist(), self.squares.tolist()
        mean = [t / (255 * n) for t in total]
        var = [(n * s - t * t) / (255 * n) ** 2 for t, s in zip(total, squares)]
        return PatchStats(np.array(mean), np.array(var))


def _sum_batch(samples: list[dict | None], patch_size: int) -> PatchSums:
    images = [sample['image'] for sample in samples if sample is not None]
    sums = PatchSums(patch_size)
    return sums.add(torch.stack(images)) if images else sums


def collect(
    dataset,
    patch_size: int,
    passes: int = 1,
    num_workers: int = 0,
    batch_size: int = 64,
    progress: Callable[[int], None] | None = None,
) -> PatchSums:
    """Sum over all images of a data set.

    Args:
        dataset: ``mmmim.ImageFolder`` with ``broken='none'`` and a pipeline that ends with a crop
            of fixed size.
        patch_size: Patch side in pixels.
        passes: Epochs to read, each with its own random crops.
        num_workers: Processes; the result does not depend on it.
        batch_size: Images per message from a worker.
        progress: Called with the number of images read so far.
    """
    sampler = EpochSampler(dataset, seed=dataset.seed, shuffle=False)
    loader = DataLoader(
        dataset,
        batch_size=batch_size,
        sampler=sampler,
        num_workers=num_workers,
        collate_fn=functools.partial(_sum_batch, patch_size=patch_size),
        worker_init_fn=worker_init,
        persistent_workers=num_workers > 0,
    )
    sums = PatchSums(patch_size)
    for epoch in range(passes):
        sampler.set_epoch(epoch)
        for part in loader:
            sums.merge(part)
            if progress is not None:
                progress(sums.images)
    return sums


def save_patch_stats(path: str, sums: PatchSums, crop: dict, list_sha256: str, skipped) -> None:
    """Write the .npz that :func:`load_patch_stats` reads, all of it or nothing.

    Args:
        path: File to write, with extension .npz.
        sums: Of all images.
        crop: How images were cut, kept for the record.
        list_sha256: Hash of the list of files.
        skipped: Names of files that could not be read.
    """
    stats = sums.stats()
    fields = dict(
        mean=stats.mean,
        var=stats.var,
        count=sums.patches,
        images=sums.images,
        patch_size=sums.patch_size,
        crop=json.dumps(crop, sort_keys=True),
        list_sha256=list_sha256,
        skipped=json.dumps(list(skipped)),
    )
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    partial = f'{path}.{os.getpid()}.tmp'
    with open(partial, 'wb') as file:
        np.savez(file, **fields)
    os.replace(partial, path)


def load_patch_stats(path: str, patch_size: int, in_channels: int = 3) -> PatchStats:
    """Read the statistics of tools/misc/target_stats.py.

    Args:
        path: The .npz file.
        patch_size: Patch side that the model uses.
        in_channels: Image channels.

    Raises:
        ValueError: If the file is missing, is no such file, or was made for another patch.
    """
    remedy = f'make it with `{COMMAND.format(patch_size, path)}`.'
    if not os.path.isfile(path):
        raise ValueError(f"patch statistics '{path}' do not exist: {remedy}")
    try:
        with np.load(path, allow_pickle=False) as file:
            mean, var, made_for = file['mean'], file['var'], int(file['patch_size'])
    except Exception as error:  # zipfile, KeyError, ValueError, OSError: all mean the same here
        raise ValueError(
            f"'{path}' is no file of patch statistics ({type(error).__name__}: {error}): {remedy}"
        ) from error
    dims = patch_size**2 * in_channels
    if made_for != patch_size or mean.shape != (dims,) or var.shape != (dims,):
        raise ValueError(
            f"patch statistics '{path}' were made for patch_size={made_for} ({mean.size} values), "
            f'the model has patch_size={patch_size} and {in_channels} channels ({dims}): {remedy}'
        )
    return PatchStats(mean.astype(np.float64), var.astype(np.float64))

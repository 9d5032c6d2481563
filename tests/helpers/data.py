"""Images, statistics and batches for tiny models."""

import copy
from functools import cache
from pathlib import Path

import numpy as np
import torch
from mmengine.config import ConfigDict
from mmengine.registry import DefaultScope
from PIL import Image

from mmmim.datasets import collate_views
from mmmim.datasets.statistics import PatchSums, save_patch_stats
from mmmim.registry import DATASETS, MODELS


@cache
def make_images(folder: Path, count: int = 4, size: tuple[int, int] = (80, 96)) -> Path:
    """A folder of JPEGs, each with smooth structure and noise of its own; (H, W) in pixels."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        coarse = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        smooth = np.asarray(Image.fromarray(coarse).resize(size[::-1], Image.BICUBIC), dtype=int)
        noisy = smooth + rng.integers(-30, 31, smooth.shape)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / f'{index}.jpg')
    return folder


def runnable_model(cfg, folder: Path) -> ConfigDict:
    """The model of a config as the runner hands it to the registry.

    Files of statistics are replaced by ones made in ``folder``.
    """
    patch_size = cfg.model.backbone.get('patch_size', 16)
    model = ConfigDict(fill_statistics(cfg.model, folder, patch_size))
    if 'data_preprocessor' not in model and cfg.get('data_preprocessor'):
        model['data_preprocessor'] = cfg.data_preprocessor
    return model


def build_tiny(cfg, folder: Path) -> torch.nn.Module:
    """The model of a shrunk config, initialised by its own ``init_weights``."""
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(runnable_model(cfg, folder))
        model.init_weights()
    return model


def fill_statistics(node, folder: Path, patch_size: int):
    """Give every ``stats=FILE`` of a model a real file of statistics; returns a copy."""
    if isinstance(node, dict):
        filled = {key: fill_statistics(value, folder, patch_size) for key, value in node.items()}
        if isinstance(filled.get('stats'), str):
            filled['stats'] = str(make_statistics(folder, filled.get('patch_size', patch_size)))
        return filled
    if isinstance(node, (list, tuple)):
        return [fill_statistics(item, folder, patch_size) for item in node]
    return copy.deepcopy(node)


def make_statistics(folder: Path, patch_size: int) -> Path:
    path = folder / f'patch{patch_size}.npz'
    if not path.exists():
        generator = torch.Generator().manual_seed(1)
        shape = (32, 3, 4 * patch_size, 4 * patch_size)
        images = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
        images[:, 0] //= 2  # so that channels differ
        sums = PatchSums(patch_size).add(images)
        save_patch_stats(str(path), sums, crop={}, list_sha256='', skipped=[])
    return path


def batch_of(dataset_cfg: dict, images: Path, seed: int = 0) -> dict:
    """One batch as the loader gives it: all of ``images`` through a config's own pipeline."""
    dataset = DATASETS.build({**dataset_cfg, 'data_root': str(images), 'seed': seed})
    return collate_views([dataset[(0, index)] for index in range(len(dataset))])

"""Seconds and memory of a training step, and the hours that a recipe takes of them."""

from __future__ import annotations

import math
import resource
import tempfile
import time
from pathlib import Path

import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

from mmmim.datasets import collate_views
from mmmim.datasets.randomness import sample_rng
from mmmim.engine.launch import load_config
from mmmim.registry import MODELS, TRANSFORMS
from mmmim.visualization.report.record import gpus, hardware

from .sources import build_model

SIDE = 256  # pixels of the drawn images, before their crop


def hours(seconds: float, epochs: int, images: int, devices: int, batch_size: int) -> float:
    """Hours of a recipe, whose last, smaller batch of an epoch is left out as in training.

    Args:
        seconds: Per step.
        epochs: Passes over the images.
        images: Of an epoch.
        devices: That train together.
        batch_size: Per device and step.

    Raises:
        ValueError: If an epoch has no whole batch.
    """
    steps = images // (devices * batch_size)
    if not steps:
        raise ValueError(
            f'{images} images make no batch of {devices} x {batch_size}: choose fewer devices.'
        )
    return seconds * steps * epochs / 3600


def measure(
    config, batch_size: int, steps: int, warm_up: int, device: str, threads: int | None = None
) -> dict:
    """Train a config for some steps on drawn images.

    With one thread on a CPU the seconds are those that the process computed, so that a machine
    with other work measures nearly the same; otherwise those on the wall clock.

    Returns:
        dict(config=its name, epochs, seconds=median of a step, clock='CPU time' or 'wall time',
        se=standard error of the mean, memory_mib=most that was in use: of the device, or on a CPU
        of the whole process, device).

    Raises:
        ValueError: If the config is no pre-training on our images.
    """
    if threads:
        torch.set_num_threads(threads)
    cfg = load_config(config)
    with tempfile.TemporaryDirectory() as folder:
        provide_tokenizers(cfg.model, Path(folder))
        model = build_model(cfg).to(device).train()
    wrapper = _optimizer(cfg, model, device)
    batch = drawn_batch(cfg, batch_size)
    alone = threads == 1 and device == 'cpu'
    clock = time.process_time if alone else time.perf_counter
    seconds = [_step(model, wrapper, batch, device, clock) for _ in range(warm_up + steps)]
    seconds = seconds[warm_up:]
    mean = math.fsum(seconds) / len(seconds)
    spread = math.fsum((value - mean) ** 2 for value in seconds) / max(1, len(seconds) - 1)
    return dict(
        config=Path(config).stem,
        epochs=cfg.train_cfg.get('max_epochs', 0),
        seconds=sorted(seconds)[len(seconds) // 2],
        clock='CPU time' if alone else 'wall time',
        se=math.sqrt(spread / len(seconds)),
        memory_mib=_memory(device) / 2**20,
        device=gpus()[0] if device.startswith('cuda') else hardware(),
    )


def _optimizer(cfg, model, device):
    settings = dict(cfg.optim_wrapper)
    settings.pop('accumulative_counts', None)
    if settings.get('type') == 'AmpOptimWrapper' and not device.startswith('cuda'):
        settings = dict(settings, dtype='bfloat16', loss_scale=1.0)
    with DefaultScope.overwrite_default_scope(cfg.get('default_scope') or 'mmpretrain'):
        return build_optim_wrapper(model, settings)


def _step(model, wrapper, batch, device, clock) -> float:
    """Seconds of one step, from the host's batch to changed weights."""
    _wait(device)
    start = clock()
    model.train_step(dict(inputs=dict(batch['inputs'])), wrapper)
    _wait(device)
    return clock() - start


def _wait(device) -> None:
    if device.startswith('cuda'):
        torch.cuda.synchronize(device)


def _memory(device) -> float:
    """Bytes in use at most."""
    if device.startswith('cuda'):
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def drawn_batch(cfg, batch_size: int) -> dict:
    """Noise through a config's own pipeline, so that all views have their sizes.

    Raises:
        ValueError: If the config does not train on our images.
    """
    given = (cfg.get('train_dataloader') or {}).get('dataset') or {}
    if not str(given.get('type', '')).startswith('mmmim.'):
        raise ValueError(f'{cfg.filename} is no pre-training on unlabelled images.')
    pipeline = [TRANSFORMS.build(dict(step)) for step in given.pipeline]
    shape = (given.get('channels', 3), SIDE, SIDE)
    items = []
    for index in range(batch_size):
        generator = torch.Generator().manual_seed(index)
        image = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
        results = dict(image=image, sample_index=index, epoch=0, rng=sample_rng(0, 0, index))
        for transform in pipeline:
            results = transform(results)
        del results['rng']
        items.append(results)
    return collate_views(items)


def provide_tokenizers(node, folder: Path) -> None:
    """Random weights for tokenizers whose file is missing, in place."""
    if isinstance(node, (list, tuple)):
        for item in node:
            provide_tokenizers(item, folder)
    if not isinstance(node, dict):
        return
    for item in node.values():
        provide_tokenizers(item, folder)
    path = node.get('checkpoint')
    if 'type' in node and isinstance(path, str) and not Path(path).is_file():
        sizes = {key: node[key] for key in node if key not in ('checkpoint', 'sha256')}
        node['checkpoint'] = str(folder / f'{len(list(folder.iterdir()))}.pth')
        node.pop('sha256', None)
        torch.save(MODELS.build(sizes).state_dict(), node['checkpoint'])

"""Batches for a pre-training model: its own views, without chance."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Sequence

import torch
from mmengine.logging import MMLogger
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from mmmim.datasets import ImageFolder, collate_views
from mmmim.datasets.decoding import ImageError, decode
from mmmim.datasets.file_list import PathTable
from mmmim.registry import DATASETS

CHANCE = ('ColorJitter', 'GaussianBlur', 'Solarize')
_CROPS = ('RandomResizedCrop', 'RandomResizedCropViews')
# What a data set of the config says that does not belong to its own files.
_KEPT = frozenset(inspect.signature(ImageFolder).parameters) - {
    'data_root', 'files', 'pipeline', 'cache', 'seed', 'repeat',
}  # fmt: skip


def still_pipeline(pipeline, size=None, trained_size=None) -> list[dict]:
    """A training pipeline without chance: central crops for random ones, no flips and jitter.

    It delivers the views that the method needs, zoom-in's wider one for example.

    Args:
        pipeline: Of a config.
        size: (height, width) of the encoder's input instead of ``trained_size``; other sizes
            follow.
        trained_size: Side of the encoder's input for which the pipeline was written.
    """
    still = []
    for step in pipeline:
        name = str(step['type']).rpartition('.')[2]
        step = _resized(step, size, trained_size) if size else copy.deepcopy(dict(step))
        if name in _CROPS:
            still.append(_central(step))
        elif name == 'MultiView':
            views = step['views'].items()
            views = {view: still_pipeline(steps, size, trained_size) for view, steps in views}
            still.append({**step, 'views': views})
        elif not name.startswith('Random') and name not in CHANCE:
            still.append(step)
    return still


def _central(step: dict) -> dict:
    """The largest central crop of the aspect of its size."""
    size = step['size']
    ratio = 1.0 if isinstance(size, int) else size[1] / size[0]
    return {**step, 'scale': (1.0, 1.0), 'ratio': (ratio, ratio)}


def _resized(step, size, trained_size: int):
    """A step whose sizes fit another size of the encoder's input, views within it left out."""
    step = copy.deepcopy(dict(step))
    if 'size' in step:
        step['size'] = _follow(step['size'], size, trained_size)
    if step['type'].endswith('RandomResizedCropViews'):
        for view in step.get('views', {}).values():
            view['size'] = _follow(view['size'], size, trained_size)
    return step


def _follow(side, size, trained_size: int) -> tuple[int, int]:
    """Larger and smaller views keep their share; the margin on either side is whole pixels."""
    side = side if isinstance(side, int) else side[0]
    share = (side - trained_size) / 2 / trained_size
    return tuple(new + 2 * round(share * new) for new in size)


def load_batch(cfg, spec, count: int, size=None, seed: int = 0, smallest: int = 1) -> dict:
    """Images spread evenly over a folder, as the views that a config's training makes of them.

    Args:
        count: How many at most.
        cfg, spec, size, seed, smallest: See :func:`still_dataset`.

    Returns:
        The batch as the data loader gives it.
    """
    dataset = still_dataset(cfg, spec, size, seed, smallest)
    (batch,) = sound_batches(dataset, count, batch_size=count)
    return batch


def sound_batches(
    dataset: ImageFolder, count: int, batch_size: int, num_workers: int = 0
) -> Iterator[dict]:
    """Batches of ``count`` images spread evenly; those of no use are left out, by name.

    Args:
        dataset: Of :func:`still_dataset`.
        count, batch_size: Images in all, and of a batch, at most.
        num_workers: Processes that read them.

    Raises:
        ImageError: If no image is of use.
    """
    attempts = _Attempts(dataset, pick(len(dataset), count))
    loader = DataLoader(attempts, batch_size, num_workers=num_workers, collate_fn=list)
    first, some = None, False
    for items in loader:
        errors = [item for item in items if isinstance(item, ImageError)]
        first = first or next(iter(errors), None)
        views = [item for item in items if isinstance(item, dict)]
        if views:
            some = True
            _name(errors)
            yield collate_views(views)
    if not some:
        raise first or _why(dataset, attempts.indices[0])


class _Attempts(Dataset):
    """Items of some indices; the error where one is of no use, None where it cannot be read."""

    def __init__(self, dataset, indices):
        self.dataset, self.indices = dataset, indices

    def __len__(self):
        return len(self.indices)

    def __getitem__(self, position):
        try:
            return self.dataset[self.indices[position]]  # which names what it cannot read
        except ImageError as error:
            return error


def _why(dataset, index: int) -> ImageError:
    try:
        decode(dataset.paths.read(index), dataset.form)
    except ImageError as error:
        return ImageError(f'{dataset.paths.full(index)}: {error}.')
    return ImageError(f'{dataset.paths.full(index)} cannot be read.')


def _name(errors) -> None:
    for error in errors:
        MMLogger.get_current_instance().warning(f'left out: {error}')


def still_dataset(cfg, spec, size=None, seed: int = 0, smallest: int = 1) -> ImageFolder:
    """Images as the views that a config's training makes of them, without chance.

    Args:
        cfg (Config): Of a pre-training.
        spec: Folder, glob or list of images; they are read as those of the training are.
        size: (height, width) of the encoder's input, by default that of the config.
        seed: Of what chance is left.
        smallest: Least side of an image, such as a patch.

    Raises:
        ValueError: If the config has no images of our kind, or there are none.
        ImageError: When an image is read, if it is too small. One that cannot be read is None.
    """
    given = (cfg.get('train_dataloader') or {}).get('dataset') or {}
    if not str(given.get('type', '')).startswith('mmmim.'):
        raise ValueError(
            f'{cfg.filename or "the config"} trains on {given.get("type", "no images")}: only '
            'pre-trainings on unlabelled images (mmmim.ImageFolder and its kind) can be shown.'
        )
    if size:
        check_size(size, smallest)
    pipeline = still_pipeline(given['pipeline'], size, size and trained_size(cfg))
    options = {key: value for key, value in given.items() if key in _KEPT}
    options.update(broken='none', max_broken=1.0)
    check = LargeEnough(smallest)
    dataset = DATASETS.build(
        dict(
            type='mmmim.ImageFolder', data_root=str(spec), seed=seed,
            pipeline=[check, *pipeline], **options,
        )
    )  # fmt: skip
    check.paths = dataset.paths
    return dataset


class LargeEnough:
    """A step of a pipeline: an ``ImageError`` where a side is below ``smallest`` pixels."""

    paths: PathTable | None = None

    def __init__(self, smallest: int):
        self.smallest = smallest

    def __call__(self, results: dict) -> dict:
        path = self.paths.full(results['sample_index'])
        check_pixels(path, results['image'], self.smallest)
        return results


def check_pixels(path: str, image: Tensor, smallest: int) -> None:
    """
    Raises:
        ImageError: If a side of an image (C, H, W) is below ``smallest`` pixels.
    """
    height, width = image.shape[1:]
    if min(height, width) < smallest:
        raise ImageError(
            f'{path} has {height}x{width} pixels, less than a patch of {smallest}x{smallest}: '
            'take larger images.'
        )


def check_size(size: tuple[int, int], smallest: int) -> None:
    """
    Raises:
        ValueError: If crops of a size are smaller than a patch.
    """
    if min(size) < smallest:
        raise ValueError(
            f'images of {size[0]}x{size[1]} pixels are smaller than a patch of '
            f'{smallest}x{smallest}: choose a larger --size.'
        )


def trained_size(cfg) -> int:
    """The side of the encoder's input that a config was written for."""
    size = cfg.model.backbone.get('img_size', 224)
    return size if isinstance(size, int) else size[0]


def pick(total: int, count: int, seed: int | None = None) -> list[int]:
    """``count`` indices below ``total``: spread evenly, or drawn and sorted."""
    count = min(count, total)
    if seed is None:
        return [index * total // count for index in range(count)]
    generator = torch.Generator().manual_seed(seed)
    return sorted(torch.randperm(total, generator=generator)[:count].tolist())


def readable(read: Callable, indices: Sequence[int]) -> list:
    """``read(index)`` of each image; those that cannot be read are left out, by name.

    Raises:
        ImageError: That of the first, if none can be read.
    """
    found, problems = [], []
    for index in indices:
        try:
            found.append(read(index))
        except ImageError as error:
            problems.append(error)
    if not found:
        raise problems[0]
    _name(problems)
    return found

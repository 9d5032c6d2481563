"""Unlabelled images from a folder, a glob, a list or tar shards."""

import logging
from collections.abc import Sequence
from functools import partial

import numpy as np
from mmengine.logging import print_log
from torch import Tensor
from torch.utils.data import Dataset

from mmmim.registry import DATASETS, TRANSFORMS

from .decoding import ImageError, decode, decode_crop, inspect
from .pixel_format import PixelFormat
from .randomness import sample_rng
from .shared_memory import RamCache
from .skips import SkipList
from .sources import find_images
from .transforms import RandomResizedCrop

Index = int | tuple[int, int]


@DATASETS.register_module()
class ImageFolder(Dataset):
    """Images without labels or annotation file; item = dict of views, sample index and epoch.

    A file that cannot be read is named in a warning when it is met and the next readable image of
    the list takes its place, in every epoch and on any number of processes the same one.

    Args:
        data_root (str): Folder, searched recursively for every extension that can be read; also a
            glob, a list file (.txt, .lst, .csv, .tsv), a COCO .json or tar shards. See
            :func:`~mmmim.datasets.sources.find_images`.
        files (str or list, optional): Glob, list file or paths below ``data_root``.
        pipeline (list): Transforms, as configs or callables, after decoding.
        channels (int): Channels of all images; photographs of others are converted to 1 or 3.
        bits (int): 8, or 16 to keep the depth of 16-bit files. See
            :func:`~mmmim.datasets.pixel_format.fit`.
        repeat (int): How often each image comes in an epoch, every time with augmentation and mask
            of its own: for fewer images than a batch has.
        cache (str, optional): 'ram' keeps decoded images in memory shared by the workers.
        seed (int, optional): Seed of the augmentation. None takes that of the run, which the
            sampler passes on.
        broken (str): 'replace' a file that cannot be read, or 'none': its item is None.
        max_broken (float): Share of broken files, of at least ten, above which to stop.
        look_at (int): Headers looked at beforehand, to count images smaller than the crop.

    Raises:
        ValueError: If there is no image, or an option is unknown.
    """

    METAINFO: dict = {}

    def __init__(
        self,
        data_root: str,
        files: str | Sequence[str] | None = None,
        pipeline: Sequence = (),
        cache: str | None = None,
        seed: int | None = None,
        broken: str = 'replace',
        max_broken: float = 0.01,
        look_at: int = 500,
        channels: int = 3,
        bits: int = 8,
        repeat: int = 1,
    ) -> None:
        if cache not in (None, 'ram'):
            raise ValueError(f"ImageFolder: cache={cache!r} must be None or 'ram'.")
        if broken not in ('replace', 'none'):
            raise ValueError(f"ImageFolder: broken={broken!r} must be 'replace' or 'none'.")
        if not isinstance(repeat, int) or repeat < 1:
            raise ValueError(f'ImageFolder: repeat={repeat!r} must be a positive number.')
        self.repeat = repeat
        self.form = PixelFormat(channels, bits).check()
        self.paths = find_images(data_root, files)
        self.pipeline = [TRANSFORMS.build(t) if isinstance(t, dict) else t for t in pipeline]
        self.seed, self._fixed_seed = seed or 0, seed is not None
        self.broken = broken
        self.skips = SkipList(len(self.paths), self.paths.full, max_broken)
        sizes = self._look_at(len(self.paths) if cache else look_at)
        self.cache = RamCache(sizes, self.form) if cache else None

    @property
    def metainfo(self) -> dict:
        return dict(self.METAINFO)

    @property
    def _crop(self):
        """The random crop that images are decoded for; of today's pipeline, which hooks replace."""
        return None if self.cache is not None else _leading_crop(self.pipeline)

    def __len__(self) -> int:
        """Samples per epoch."""
        return len(self.paths) * self.repeat

    def set_seed(self, seed: int) -> None:
        """Take over the seed of the run, unless the config gave one."""
        if not self._fixed_seed:
            self.seed = seed

    @property
    def skipped(self) -> list[str]:
        """Broken files met so far by this process and its forked workers."""
        return [self.paths[i] for i in self.skips.indices()]

    def __getitem__(self, index: Index) -> dict | None:
        """
        Args:
            index: (epoch, sample index), or a sample index, which stands for epoch 0.

        Returns:
            dict(image=(C, H, W) uint8 or uint16, sample_index=int, epoch=int, and what the pipeline
            adds); ``sample_index`` is that of the image read, also where it replaces a broken one;
            repetition r of n images counts on from r * n.
        """
        epoch, index = index if isinstance(index, tuple) else (0, index)
        before = index // len(self.paths) * len(self.paths)
        item, source = self._item(index - before, epoch, index)
        if item is not None:
            item['sample_index'] = before + source
        return item

    def _item(self, first: int, epoch: int, index: int) -> tuple[dict | None, int]:
        """Image ``first`` or its replacement, with random numbers of (epoch, index), and the index
        it was read from."""
        for step in range(len(self.paths)):
            source = (first + step) % len(self.paths)
            rng = sample_rng(self.seed, epoch, index)
            image = self._load(source, rng)
            if image is not None:
                results = dict(image=image, sample_index=index, epoch=epoch, rng=rng)
                return self._transform(results), source
            if self.broken == 'none':
                return None, source
        raise RuntimeError(
            f"none of the {len(self.paths)} images below '{self.paths.root}' can be read."
        )

    def _transform(self, results: dict) -> dict:
        rest = self.pipeline
        if self._crop is not None:
            results, rest = self._crop.finish(results), rest[1:]
        for transform in rest:
            results = transform(results)
        del results['rng']
        return results

    def _load(self, index: int, rng: np.random.Generator) -> Tensor | None:
        """The image, or its crop if the pipeline starts with one; None if it cannot be read."""
        if index in self.skips:
            return None
        try:
            if self._crop is not None:
                data = self.paths.read(index)
                return decode_crop(data, partial(self._crop.draw, random=rng.random), self.form)
            image = None if self.cache is None else self.cache.get(index)
            if image is None:
                image = decode(self.paths.read(index), self.form)
                if self.cache is not None:
                    self.cache.put(index, image)
            return image
        except ImageError as error:
            self.skips.add(index, error)
            return None

    def _look_at(self, count: int) -> np.ndarray:
        """(n, 2) int64, height and width of up to ``count`` images spread over the list."""
        last = len(self.paths) - 1
        indices = np.unique(np.linspace(0, last, min(count, last + 1)).astype(int))
        sizes = np.zeros((len(indices), 2), dtype=np.int64)
        for row, index in enumerate(indices.tolist()):
            try:
                with self.paths.open(index) as file:
                    sizes[row] = inspect(file)[:2]
            except (ImageError, OSError) as error:
                self.skips.add(index, error)
        readable = sizes[:, 0] > 0
        if len(sizes) and not readable.any():
            raise ValueError(
                f'none of {len(sizes)} images looked at can be read; the first is '
                f"'{self.paths.full(int(indices[0]))}'."
            )
        self._warn_of_small(sizes[readable])
        return sizes

    def _warn_of_small(self, sizes: np.ndarray) -> None:
        crops = [t.size for t in self.pipeline if isinstance(getattr(t, 'size', None), tuple)]
        if not crops or not len(sizes):
            return
        small = (sizes < crops[0]).any(axis=1)
        if small.any():
            height, width = sizes[np.argmin(sizes.prod(axis=1))]
            print_log(
                f'{small.sum()} of {len(sizes)} images looked at are smaller than the crop of '
                f'{crops[0][0]}x{crops[0][1]} (the smallest is {height}x{width}) and get enlarged.',
                'current',
                logging.WARNING,
            )


def _leading_crop(pipeline) -> RandomResizedCrop | None:
    """The crop that a pipeline starts with, if nothing else needs the whole image."""
    first = pipeline[0] if pipeline else None
    plain = isinstance(first, RandomResizedCrop) and (
        type(first).__call__ is RandomResizedCrop.__call__
    )
    return first if plain else None

"""tools/extract_features.py: one row per image, in the order of the names."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator

import numpy as np
import torch
from numpy.lib.format import open_memmap
from torch.utils.data import DataLoader, Dataset

from mmmim.analysis.command import pick_device
from mmmim.datasets.collate import worker_init
from mmmim.datasets.decoding import ImageError
from mmmim.datasets.sources import Source, find_images
from mmmim.engine.disk import require_space, whole_file
from mmmim.engine.errors import ConfigError, DataError, UserError
from mmmim.engine.failures import explained
from mmmim.export.result import need
from mmmim.jobs.job import writable_folder

from .encoder import Encoder, load_encoder

FEATURES = ('mean', 'cls', 'patches')
ENDINGS = ('.npy', '.parquet')


class Pictures(Dataset):
    """(index, pixels as the encoder takes them), or (index, reason) of a file that is broken."""

    def __init__(self, source: Source, transform):
        self.source, self.transform = source, transform

    def __len__(self):
        return len(self.source)

    def __getitem__(self, index):
        try:
            return index, self.transform(self.source.read(index))
        except (ImageError, ValueError) as error:
            return index, str(error)


def as_it_is(items):
    """Broken files stay apart from tensors."""
    return items


@torch.no_grad()
def compute(
    encoder: Encoder, source: Source, feature: str, batch_size: int, workers: int, device: str
) -> Iterator[tuple[list[int], np.ndarray, dict[int, str]]]:
    """Batch by batch: indices, their features, and index -> reason of broken files.

    Args:
        encoder: Of :func:`mmmim.load_encoder`.
        source: The images.
        feature: 'mean' or 'cls' (N, D); 'patches' (N, D, Gh, Gw).
        batch_size: Images at a time.
        workers: Processes that read.
        device: Where the encoder works.
    """
    encoder = encoder.to(device).eval()
    loader = DataLoader(
        Pictures(source, encoder.transform),
        batch_size=batch_size,
        num_workers=workers,
        collate_fn=as_it_is,
        worker_init_fn=worker_init,
    )
    for items in loader:
        broken = {index: value for index, value in items if isinstance(value, str)}
        whole = [(index, value) for index, value in items if index not in broken]
        rows = np.zeros((0,), np.float32)
        if whole:
            images = torch.stack([value for _, value in whole]).to(device)
            rows = _features(encoder, images, feature).float().cpu().numpy()
        yield [index for index, _ in whole], rows, broken


def _features(encoder, images, feature):
    if feature == 'patches':
        return encoder.get_intermediate_layers(images, n=1, reshape=True)[0]
    return encoder(images, pool=feature)


def extract(
    checkpoint,
    images,
    out,
    feature: str = 'mean',
    batch_size: int = 64,
    workers: int = 2,
    device: str | None = None,
    size=None,
) -> tuple[int, dict[str, str]]:
    """Write the features of all images, and their names beside them.

    ``.npy``: (N, D), or (N, D, Gh, Gw) for 'patches', float32, with the names line by line in
    ``.txt`` beside it. ``.parquet``: columns name and feature (a list of numbers), and for
    'patches' the shape.

    Args:
        checkpoint: Anything that :func:`mmmim.load_encoder` takes.
        images: Anything that ``--data`` takes.
        out: File to write.
        feature: One of ``FEATURES``.
        batch_size: Images at a time.
        workers: Processes that read.
        device: By default a GPU if there is one.
        size: Of the images; that of the pre-training if left out.

    Returns:
        (images written, name -> reason of those that cannot be read, which have no row).

    Raises:
        ValueError: If the encoder or the images are not there, or the encoder has no such feature.
        DataError: If no image can be read.
    """
    out = os.fspath(out)
    if not out.endswith(ENDINGS):
        raise ConfigError(f'--out {out}: the name must end in {" or ".join(ENDINGS)}.')
    if feature not in FEATURES:
        raise ConfigError(f'--feature {feature}: choose from {", ".join(FEATURES)}.')
    if batch_size < 1 or workers < 0:
        raise ConfigError(
            f'--batch-size {batch_size} --workers {workers}: at least 1 image, and 0 processes.'
        )
    device = pick_device(device)
    encoder = load_encoder(checkpoint, size=size)
    if feature != 'patches':
        encoder.check_pool(feature)
    source = find_images(os.fspath(images))
    if os.path.isdir(out):
        raise ConfigError(f'--out {out} is a folder: name a file to write.')
    writable_folder(os.path.dirname(out) or '.')
    batches = compute(encoder, source, feature, batch_size, workers, device)
    write = _write_npy if out.endswith('.npy') else _write_parquet
    indices, broken = write(out, batches, len(source), source)
    return len(indices), {source[index]: why for index, why in broken.items()}


def _write_npy(out, batches, count, source):
    """Through a file mapped into memory, so that patches of many images need none."""
    kept, broken, table, used = [], {}, None, f'{out}.part'
    for indices, rows, bad in batches:
        broken.update(bad)
        if not indices:
            continue
        if table is None:
            need_bytes = count * rows[0].nbytes
            require_space(os.path.dirname(out) or '.', need_bytes, 'the features')
            table = open_memmap(used, 'w+', rows.dtype, (count, *rows.shape[1:]))
        table[len(kept) : len(kept) + len(rows)] = rows
        kept += indices
    if table is None:
        raise _nothing(source, broken)
    table.flush()
    if len(kept) < count:  # rows of broken files at the end go
        _shorten(used, table, len(kept))
    os.replace(used, out)
    with whole_file(f'{os.path.splitext(out)[0]}.txt') as temporary:
        with open(temporary, 'w', encoding='utf-8', errors='surrogateescape') as file:
            names = (source[index].replace('\n', '\\n') for index in kept)  # a line each
            file.writelines(f'{name}\n' for name in names)
    return kept, broken


def _shorten(path, table, count):
    shorter = open_memmap(f'{path}2', 'w+', table.dtype, (count, *table.shape[1:]))
    for start in range(0, count, 1024):
        shorter[start : start + 1024] = table[start : min(count, start + 1024)]
    shorter.flush()
    os.replace(f'{path}2', path)


def _write_parquet(out, batches, count, source):
    pyarrow = need('pyarrow', f'writing {out}')
    parquet = need('pyarrow.parquet', f'writing {out}')
    kept, broken, writer = [], {}, None
    with whole_file(out) as temporary:
        for indices, rows, bad in batches:
            broken.update(bad)
            if not indices:
                continue
            columns = dict(name=[source[index] for index in indices])
            flat = rows.reshape(len(rows), -1)
            columns['feature'] = pyarrow.FixedSizeListArray.from_arrays(
                pyarrow.array(flat.ravel()), flat.shape[1]
            )
            if rows.ndim > 2:
                columns['shape'] = [list(rows.shape[1:])] * len(rows)
            table = pyarrow.table(columns)
            writer = writer or parquet.ParquetWriter(temporary, table.schema)
            writer.write_table(table)
            kept += indices
        if writer is None:
            raise _nothing(source, broken)
        writer.close()
    return kept, broken


def _nothing(source, broken):
    index, why = next(iter(broken.items()))
    return DataError(f'none of {len(source)} images can be read; the first, {source[index]}: {why}')


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        description='Features of images, one row per image.', allow_abbrev=False
    )
    made.add_argument('encoder', help='file of any layout, exported folder, or work directory')
    made.add_argument('images', help='folder, glob, list, COCO .json, or .tar shards')
    made.add_argument('--out', required=True, help='FILE.npy (names in FILE.txt) or FILE.parquet')
    made.add_argument('--feature', default='mean', choices=FEATURES, help='(%(default)s)')
    made.add_argument('--size', type=int, nargs='+', metavar='SIDE', help='SIDE, or HEIGHT WIDTH')
    made.add_argument('--batch-size', type=int, default=64, help='(%(default)s)')
    made.add_argument('--workers', type=int, default=2, help='processes that read (%(default)s)')
    made.add_argument('--device', help='cpu, cuda, cuda:1 ... (a GPU if there is one)')
    return made


def main(argv=None) -> int:
    """The command; returns the exit code."""
    args = parser().parse_args(argv)
    try:
        if args.size is not None and len(args.size) > 2:
            raise ConfigError(f'--size {args.size}: give one side, or height and width.')
        size = None if args.size is None else (args.size * 2)[:2]
        count, broken = extract(
            args.encoder,
            args.images,
            args.out,
            args.feature,
            args.batch_size,
            args.workers,
            args.device,
            size,
        )
    except (UserError, ValueError, OSError, RuntimeError) as error:
        cause = explained(error)
        if not isinstance(cause, (UserError, ValueError, OSError)):
            raise
        print(f'error: {cause}', file=sys.stderr)
        return 2
    for name, why in broken.items():
        print(f'left out {name}: {why}')
    print(f'{args.out}: {args.feature} features of {count} images')
    return 0

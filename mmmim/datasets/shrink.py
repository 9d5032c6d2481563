"""Small copies of a folder of images, made once, so that a short pre-training need not decode
photographs again and again.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageOps

from .decoding import to_rgb
from .file_list import list_files

MANIFEST, LIST = 'shrunk.json', 'list.txt'


class Shrunk(NamedTuple):
    """What was made: number of copies, and the sources that cannot be read with the reason."""

    count: int
    broken: dict[str, str]


def shrink_image(source, target, short_side: int) -> None:
    """Write an RGB JPEG whose shorter side is ``short_side``; a smaller image keeps its size.

    The file appears in one piece. Orientation is applied, transparency laid on white.

    Raises:
        OSError, ValueError: And others that PIL's decoders raise for a broken file.
    """
    with Image.open(source) as image:
        width, height = image.size
        scale = short_side / min(width, height)
        if scale < 1:
            # JPEG decodes straight to a fraction of its size; twice the target leaves the final
            # filter enough to work with.
            image.draft('RGB', (int(2 * scale * width) + 1, int(2 * scale * height) + 1))
        image = to_rgb(ImageOps.exif_transpose(image))
        factor = min(short_side / min(image.size), 1.0)
        size = tuple(max(1, round(factor * side)) for side in image.size)
        if size != image.size:
            image = image.resize(size, Image.Resampling.BICUBIC)
    partial = f'{target}.partial'
    image.save(partial, 'JPEG', quality=95, subsampling=0)
    os.replace(partial, target)


def shrink_folder(
    data_root,
    out,
    short_side: int = 96,
    limit: int | None = None,
    entries: int = 0,
    threads: int = 2,
    report: Callable[[int, int], None] | None = None,
) -> Shrunk:
    """Copy the images below a folder, shrunk, to ``OUT/000000.jpg`` and so on.

    A finished copy of the same list is left as it is, an unfinished one completed.

    Args:
        data_root: Folder, glob or list file, as for ``mmmim.ImageFolder``.
        out: Folder for the copies; files of an earlier list that this made there are removed.
        short_side: Pixels.
        limit: Copy at most that many, spread evenly over the list.
        entries: ``OUT/list.txt`` names the copies, over and over until it has so many lines: a
            few images then make epochs as long as many do.
        threads: Images worked on at a time.
        report: Called with (done, in all) now and then.

    Raises:
        ValueError: If no image is found or none can be read.
        OSError: If ``out`` cannot be written.
    """
    paths, out = list_files(os.fspath(data_root)), Path(out)
    total = min(len(paths), limit or len(paths))
    chosen = [index * len(paths) // total for index in range(total)]
    settings = dict(root=str(paths.root), list=paths.sha256(), short_side=short_side, total=total)
    settings['entries'] = entries
    old = _read_manifest(out)
    if old.get('settings') == settings and 'broken' in old:
        return Shrunk(total - len(old['broken']), old['broken'])
    _prepare(out, settings, old)
    broken: dict[str, str] = {}

    def work(number):
        target = out / f'{number:06d}.jpg'
        if target.exists():
            return
        source = paths.full(chosen[number])
        try:
            shrink_image(source, target, short_side)
        except Exception as error:  # decoders raise anything
            if not os.access(out, os.W_OK) or isinstance(error, OSError) and error.errno == 28:
                raise  # not the image but the disk
            broken[source] = f'{type(error).__name__}: {error}'

    with ThreadPoolExecutor(threads) as pool:
        for done, _ in enumerate(pool.map(work, range(total)), start=1):
            if report is not None and (done % 100 == 0 or done == total):
                report(done, total)
    if len(broken) == total:
        raise ValueError(f'None of the {total} images below {data_root} can be read.')
    _write_list(out, total, entries)
    _write_manifest(out, dict(settings=settings, broken=broken))
    return Shrunk(total - len(broken), broken)


def _prepare(out: Path, settings: dict, old: dict) -> None:
    out.mkdir(parents=True, exist_ok=True)
    if old.get('settings') != settings:
        for path in out.glob('[0-9]' * 6 + '.jpg'):
            path.unlink()
        _write_manifest(out, dict(settings=settings))


def _write_list(out: Path, total: int, entries: int) -> None:
    names = [name for name in (f'{n:06d}.jpg' for n in range(total)) if (out / name).exists()]
    lines = [names[index % len(names)] for index in range(max(entries, len(names)))]
    (out / LIST).write_text('\n'.join(lines) + '\n', encoding='utf-8')


def _read_manifest(out: Path) -> dict:
    try:
        return json.loads((out / MANIFEST).read_text(encoding='utf-8'))
    except (FileNotFoundError, json.JSONDecodeError):
        return {}


def _write_manifest(out: Path, content: dict) -> None:
    partial = out / f'.{MANIFEST}.partial'
    partial.write_text(json.dumps(content, indent=1), encoding='utf-8')
    os.replace(partial, out / MANIFEST)

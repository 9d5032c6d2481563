"""Patch features with the class of what they show, and their picture by t-SNE."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor, nn

from mmmim.datasets.decoding import ImageError, decode_file, image_extensions
from mmmim.datasets.pixel_format import PixelFormat

from .batches import check_pixels, readable
from .blocks import map_blocks
from .sources import cover

NO_CLASS = -1
IGNORED = 255
MAP_SUFFIXES = ('.png', '.tif', '.tiff')


def majority_labels(label_map: Tensor, patch_size: int, ignored=(IGNORED,)) -> Tensor:
    """Class of every patch: the one that more than half of its pixels belong to.

    CAE (arXiv:2202.03026), appendix B.

    Args:
        label_map: (H, W) integer; H and W multiples of ``patch_size``.
        patch_size: Side in pixels.
        ignored: Values of pixels without a class; they count towards the whole.

    Returns:
        (Gh, Gw) int64; -1 where no class has more than half of the pixels.
    """
    side = patch_size
    cells = label_map.long().unfold(0, side, side).unfold(1, side, side).flatten(2)  # (Gh, Gw, p*p)
    most = cells.mode(dim=-1).values
    share = (cells == most.unsqueeze(-1)).float().mean(-1)
    known = ~torch.isin(most, torch.as_tensor(list(ignored), dtype=most.dtype))
    return torch.where((share > 0.5) & known, most, NO_CLASS)


def pair_label_maps(images, labels) -> list[tuple[Path, Path]]:
    """Images of a folder with their label maps, in the layout of ADE20K and mmsegmentation.

    The label map of ``images/a/b.jpg`` is ``labels/a/b.png``.

    Raises:
        ValueError: If a folder is missing or no image has a label map.
    """
    images, labels = Path(images), Path(labels)
    for folder in (images, labels):
        if not folder.is_dir():
            raise ValueError(f'{folder} is no folder.')
    pairs = []
    for image in sorted(images.rglob('*')):
        if image.suffix.lower() not in image_extensions():
            continue
        base = labels / image.relative_to(images)
        found = [path for path in map(base.with_suffix, MAP_SUFFIXES) if path.is_file()]
        pairs += [(image, found[0])] if found else []
    if not pairs:
        raise ValueError(
            f'no image of {images} has a label map in {labels}: expected images/NAME.jpg and '
            'labels/NAME.png.'
        )
    return pairs


def read_images(pairs, size: tuple[int, int], channels: int, smallest: int = 1):
    """Images cut to ``size`` as those of the other tools, and their label maps.

    Args:
        pairs: Paths of images and label maps.
        size: (H, W).
        channels: Of the images.
        smallest: Least side of an image in the file, such as a patch.

    Returns:
        (N, C, H, W) uint8 and N paths; images of no use are left out, and named in a warning.

    Raises:
        ImageError: If none can be read with these channels and is as large as ``smallest``.
    """
    form = PixelFormat(channels)

    def read(index):
        path, labels = pairs[index]
        try:
            image = decode_file(str(path), form)
        except ImageError as error:
            raise ImageError(f'{path}: {error}.') from error
        check_pixels(str(path), image, smallest)
        return cover(image, size), labels

    images, labels = zip(*readable(read, range(len(pairs))))
    return torch.stack(images), labels


def read_label_map(path, size: tuple[int, int]) -> Tensor:
    """A label map cut as :func:`mmmim.analysis.sources.cover` cuts its image: (H, W) int64.

    Raises:
        ValueError: If the file holds colours instead of classes.
    """
    with Image.open(path) as picture:
        values = np.asarray(picture)
    if values.ndim != 2:
        raise ValueError(
            f'{path} has {values.shape[-1]} channels: a label map has one, with the class of every '
            'pixel.'
        )
    (height, width), (h, w) = values.shape, size
    scale = max(h / height, w / width)
    new = max(h, round(height * scale)), max(w, round(width * scale))
    maps = torch.from_numpy(values.astype(np.float32))[None, None]
    if new != (height, width):
        maps = F.interpolate(maps, size=new, mode='nearest-exact')
    top, left = (new[0] - h) // 2, (new[1] - w) // 2
    return maps[0, 0, top : top + h, left : left + w].long()


def label_grid(path, size: tuple[int, int], grid: tuple[int, int], ignored=(IGNORED,)) -> Tensor:
    """Classes of the cells of a label map, cut as its image of ``size``: (Gh, Gw) int64."""
    return majority_labels(read_label_map(path, size), size[0] // grid[0], ignored)


def class_names(given, labels) -> list[str] | None:
    """Names by class: as given, else those that the scenes beside the label maps came with."""
    if given:
        return list(given)
    for folder in list(Path(labels).resolve().parents)[:3]:
        if (folder / 'manifest.json').is_file():
            manifest = json.loads((folder / 'manifest.json').read_text(encoding='utf-8'))
            return manifest.get('label_map')
    return None


def patch_features(
    backbone: nn.Module, images: Tensor, block: int = -1, batch_size: int = 32
) -> tuple[Tensor, tuple[int, int]]:
    """Patch tokens behind a block, after the final norm behind the last one.

    Args:
        backbone: Any encoder of blocks.
        images: (N, C, H, W) float, normalised, on its device.
        block: Index from 0, or from the end.
        batch_size: Images at a time.

    Returns:
        (N, L, D) float32 on the CPU, and the grid (Gh, Gw).
    """
    depth = len(backbone.layers) if hasattr(backbone, 'layers') else None
    last = depth is not None and block % depth == depth - 1
    norm = getattr(backbone, 'ln1', None) if last else None
    found, grid = [], None
    for batch in images.split(batch_size):
        (output,) = map_blocks(backbone, batch, lambda output: output, blocks=[block])
        patches = output.patches if norm is None else norm(output.patches)
        found.append(patches.detach().float().cpu())
        grid = output.grid
    return torch.cat(found), grid


def choose_patches(
    labels: Tensor, per_class: int, points: int | None = None, seed: int = 0
) -> Tensor:
    """Up to ``per_class`` patches of every class, drawn at random.

    CAE, appendix B: "up to 1000 patches for each category from sampled 500 images".

    Args:
        labels: (K,) int64, -1 for none.
        per_class: At most.
        points: In all, at most; every class may have an equal part of them. None for no limit.
        seed: Of the draw.

    Returns:
        (M,) int64 indices, rising.

    Raises:
        ValueError: If no patch has a class.
    """
    generator = torch.Generator().manual_seed(seed)
    classes = [label for label in labels.unique() if label != NO_CLASS]
    if points is not None and classes:
        per_class = max(1, min(per_class, points // len(classes)))
    chosen = []
    for label in classes:
        members = (labels == label).nonzero().flatten()
        chosen.append(members[torch.randperm(len(members), generator=generator)[:per_class]])
    if not chosen:
        raise ValueError('no patch has a class that covers more than half of it.')
    return torch.cat(chosen).sort().values


def same_class_neighbours(
    features: Tensor, labels: Tensor, images: Tensor, k: int = 10
) -> tuple[float, float]:
    """Share of nearest neighbours, in other images, that have a patch's own class.

    A number beside the picture, which t-SNE may flatter. Cosine similarity of the features
    themselves, not of the picture.

    Args:
        features: (M, D).
        labels: (M,).
        images: (M,) image that each patch comes from.
        k: Neighbours.

    Returns:
        The share averaged over classes, and what chance gives.
    """
    unit = F.normalize(features.float() - features.float().mean(0), dim=1)
    hits = torch.empty(len(unit))
    for rows in torch.arange(len(unit)).split(1024):
        alike = unit[rows] @ unit.T
        alike[images[rows].unsqueeze(1) == images] = -2
        nearest = alike.topk(min(k, len(unit) - 1), dim=1).indices
        hits[rows] = (labels[nearest] == labels[rows].unsqueeze(1)).float().mean(1)
    classes, counts = labels.unique(return_counts=True)
    share = torch.stack([hits[labels == label].mean() for label in classes]).mean()
    return share.item(), (counts / len(labels)).mean().item()


def tsne(features: Tensor, seed: int = 0, perplexity: float = 30.0) -> np.ndarray:
    """The plane that keeps neighbours: (M, D) -> (M, 2), by scikit-learn's t-SNE.

    Raises:
        ValueError: If scikit-learn is missing or there are too few points.
    """
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise ValueError("t-SNE needs scikit-learn: pip install 'mmmim[analysis]'.") from error
    if len(features) <= perplexity:
        raise ValueError(
            f't-SNE needs more than {perplexity:g} patches with a class, got {len(features)}: take '
            'more images (--count).'
        )
    plane = TSNE(perplexity=perplexity, init='pca', random_state=seed, learning_rate='auto')
    return plane.fit_transform(features.numpy())

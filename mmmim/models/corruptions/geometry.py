"""How predicted pixels map into the frame that they are compared in.

Where the encoder sees a part of a view, or a view inside a larger image, the decoder predicts the
whole view at the network's size: the prediction's own frame. ``place`` brings it to the frame of
the encoder's input. All maps are linear in the pixels, so they take normalised patches as well as
colours.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from .. import tokens


def _means(old: int, new: int, like: Tensor) -> Tensor:
    """(new, old): each row takes the mean over the old pixels that a new one touches."""
    i, pixel = (torch.arange(count, device=like.device) for count in (new, old))
    first, behind = i * old // new, -(-(i + 1) * old // new)
    touched = (pixel >= first.unsqueeze(1)) & (pixel < behind.unsqueeze(1))
    return touched.to(like.dtype) / touched.sum(dim=1, keepdim=True)


def resize_area(images: Tensor, size: tuple[int, int]) -> Tensor:
    """Mean over the pixels that each new pixel touches: (N, C, H, W) -> (N, C, *size).

    Equal to ``interpolate(mode='area')``; as two products with matrices it takes a fifth of the
    time on a CPU, and its backward pass is reproducible on GPUs.
    """
    with torch.autocast(images.device.type, enabled=False):
        rows = _means(images.shape[2], size[0], images)
        columns = _means(images.shape[3], size[1], images)
        return rows @ images @ columns.T


def pad_symmetric(images: Tensor, top: Tensor, left: Tensor, size: tuple[int, int]) -> Tensor:
    """Put images into larger ones and mirror them outwards, edge included.

    Equal to ``numpy.pad(mode='symmetric')`` with ``top`` rows above and ``left`` columns before.

    Args:
        images: (N, C, h, w).
        top: (N,) int64.
        left: (N,) int64.
        size: (H, W) of the result.

    Returns:
        (N, C, H, W).
    """

    def mirrored(offset, old, new):  # (N,) -> (N, new), indices into the old axis
        step = (torch.arange(new, device=offset.device) - offset.unsqueeze(1)) % (2 * old)
        return torch.minimum(step, 2 * old - 1 - step)

    n, c, h, w = images.shape
    rows = mirrored(top, h, size[0]).reshape(n, 1, -1, 1).expand(n, c, size[0], w)
    columns = mirrored(left, w, size[1]).reshape(n, 1, 1, -1).expand(n, c, *size)
    return images.gather(2, rows).gather(3, columns)


@dataclass(frozen=True)
class Geometry:
    """Base of both zooms.

    Attributes:
        patch_size: Patch side in pixels.
        size: (H, W) of the encoder's input, and of the prediction in its own frame.
    """

    patch_size: int
    size: tuple[int, int]

    def place(self, images: Tensor) -> Tensor:
        """From the prediction's own frame to that of comparison: (N, C, H, W), same shape."""
        raise NotImplementedError

    def to_images(self, pred: Tensor) -> Tensor:
        """(N, L, T) in pixels of patches -> (N, C, H, W) float32."""
        grid = tokens.exact_grid(self.size, self.patch_size)
        if pred.shape[1] != grid[0] * grid[1]:
            raise ValueError(
                f'a geometry needs the prediction of all {grid[0] * grid[1]} cells, '
                f"got {pred.shape[1]}: set predict='all' in the neck."
            )
        return tokens.unpatchify(pred.float(), grid, self.patch_size)

    def place_tokens(self, pred: Tensor) -> Tensor:
        """:meth:`place` for patches: (N, L, T) -> (N, L, T) float32."""
        return tokens.patchify(self.place(self.to_images(pred)), self.patch_size)

    def whole(self, views: dict) -> dict:
        """The views with, as 'image', the whole view at the prediction's size."""
        raise NotImplementedError

    def targets(self, views: dict, normalise: Callable) -> Tensor:
        """Targets in the frame of comparison.

        Args:
            views: The views.
            normalise: Views -> (N, L, T), patches of their 'image'.

        Returns:
            (N, L, T), or (N, L, 2 T) with the whole view's, in the prediction's own frame, behind.
        """
        raise NotImplementedError

    def input(self, views: dict) -> Tensor:
        """The clean image in the frame of comparison: (N, C, H, W)."""
        raise NotImplementedError

    def pictures(self, pred: Tensor, views: dict, to_rgb: Callable) -> Tensor:
        """The prediction in the frame of comparison, in colours.

        Args:
            pred: (N, L, T), in its own frame.
            views: The views.
            to_rgb: (pred, views) -> (N, C, H, W), which takes statistics from views['image'].
        """
        raise NotImplementedError

    def target_pictures(self, views: dict, target: Callable) -> Tensor:
        """The target in the frame of comparison, in colours: (N, C, H, W)."""
        raise NotImplementedError


@dataclass(frozen=True)
class ZoomInGeometry(Geometry):
    """The encoder sees the centre of a wider view; the whole of it is predicted.

    Attributes:
        wide: (H', W') of the wider view.
    """

    wide: tuple[int, int] = (0, 0)

    @property
    def margin(self) -> tuple[int, int]:
        """Rows above and columns before the centre, in pixels of the wider view."""
        return tuple((outer - inner) // 2 for outer, inner in zip(self.wide, self.size))

    def widen(self, images: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H', W')."""
        return resize_area(images, self.wide)

    def place(self, images):
        (top, left), (height, width) = self.margin, self.size
        return self.widen(images)[:, :, top : top + height, left : left + width]

    def whole(self, views):
        return {**views, 'image': resize_area(views['wide'].float(), self.size)}

    def targets(self, views, normalise):
        return torch.cat([normalise(views), normalise(self.whole(views))], dim=-1)

    def input(self, views):
        return views['image']

    def pictures(self, pred, views, to_rgb):
        return to_rgb(self.place_tokens(pred), views)

    def target_pictures(self, views, target):
        return target.to_rgb(target(views), views)


@dataclass(frozen=True)
class ZoomOutGeometry(Geometry):
    """The encoder sees a small view with mirrored surroundings; it is predicted enlarged.

    Attributes:
        inner: (h, w) of the small view.
        top: (N,) int64, rows above it.
        left: (N,) int64, columns before it.
    """

    inner: tuple[int, int] = (0, 0)
    top: Tensor | None = None
    left: Tensor | None = None

    def pad(self, images: Tensor) -> Tensor:
        """(N, C, h, w) -> (N, C, H, W)."""
        return pad_symmetric(images, self.top, self.left, self.size)

    def place(self, images):
        return self.pad(resize_area(images, self.inner))

    def whole(self, views):
        return {**views, 'image': resize_area(views['image'].float(), self.size)}

    def targets(self, views, normalise):
        return self.place_tokens(normalise(self.whole(views)))

    def input(self, views):
        return self.pad(views['image'])

    def pictures(self, pred, views, to_rgb):
        return self.place(to_rgb(pred, self.whole(views)))

    def target_pictures(self, views, target):
        whole = self.whole(views)
        return self.place(target.to_rgb(target(whole), whole))

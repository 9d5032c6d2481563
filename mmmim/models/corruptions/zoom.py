"""Zoom-in and zoom-out of Beyond Masking: what is predicted lies elsewhere than what is seen."""

from mmengine.utils import to_2tuple

from mmmim.registry import MODELS

from .base import Corrupted
from .degradation import Degradation
from .geometry import ZoomInGeometry, ZoomOutGeometry

STREAM = 20


@MODELS.register_module()
class ZoomIn(Degradation):
    """The encoder sees the centre of a wider view, all of which is to be predicted.

    Beyond Masking (arXiv:2203.14313), task (a), as in its code: a crop of 288 px of which the
    central 224 are the input. Needs ``mmmim.ZoomTarget``; nothing is drawn.

    Args:
        patch_size (int): Patch side in pixels.
    """

    geometric = True

    def __init__(self, patch_size=16):
        super().__init__()
        self.patch_size = patch_size

    def forward(self, views, mask=None):
        """
        Args:
            views: 'image' and, of which it is the centre, 'wide' (N, C, H', W'), both normalised.
            mask: Must be None.

        Raises:
            TypeError: If the wider view is not normalised.
            ValueError: If it is missing, or does not surround the image evenly.
        """
        self.refuse_mask(mask)
        image, wide = views['image'], views.get('wide')
        if wide is None:
            raise ValueError(
                f"ZoomIn needs the view 'wide', the batch has {sorted(views)}: make it with "
                "dict(type='mmmim.MultiView', views=dict(wide=[], image=[CenterCrop])) at the end "
                'of the pipeline.'
            )
        if not wide.is_floating_point():
            raise TypeError(
                f"ZoomIn: the view 'wide' is {wide.dtype}: add it to normalize=(...) of the data "
                'preprocessor.'
            )
        size, outer = tuple(image.shape[-2:]), tuple(wide.shape[-2:])
        if any(o <= s or (o - s) % 2 for s, o in zip(size, outer)):
            raise ValueError(
                f'ZoomIn: a view of {outer[0]}x{outer[1]} does not surround an image of '
                f'{size[0]}x{size[1]} evenly: its sides must be larger by even numbers.'
            )
        return Corrupted(image, None, ZoomInGeometry(self.patch_size, size, outer))


@MODELS.register_module()
class ZoomOut(Degradation):
    """The encoder sees a small view amid its own mirror images; it is to be predicted enlarged.

    Beyond Masking (arXiv:2203.14313), task (b), as in its code: a crop of 160 px is mirrored
    outwards to 224 px, with 0 to 63 of the 64 missing rows above it, likewise columns. Needs
    ``mmmim.ZoomTarget``. Offsets are drawn per sample; the released code draws one pair per batch.

    Args:
        size (int | tuple): (H, W) of the encoder's input.
        patch_size (int): Patch side in pixels.
        seed (int, optional): Seed of the offsets; by default that of the run.
        per_batch (bool): One pair of offsets per batch, as released.
    """

    geometric = True

    def __init__(self, size=224, patch_size=16, seed=None, per_batch=False):
        super().__init__(seed, per_batch)
        self.size, self.patch_size = to_2tuple(size), patch_size

    def forward(self, views, mask=None):
        """
        Raises:
            ValueError: If the image is not smaller than ``size``.
        """
        self.refuse_mask(mask)
        image = views['image']
        inner = tuple(image.shape[-2:])
        missing = [outer - side for outer, side in zip(self.size, inner)]
        if min(missing) < 1:
            raise ValueError(
                f'ZoomOut puts a smaller view into {self.size[0]}x{self.size[1]} pixels, '
                f'got {inner[0]}x{inner[1]}: crop smaller in the pipeline, or raise size.'
            )
        draws = self.uniform(views, 2, STREAM)
        top, left = ((draws[:, i] * missing[i]).long() for i in range(2))  # 0 .. missing - 1
        geometry = ZoomOutGeometry(self.patch_size, self.size, inner, top, left)
        return Corrupted(geometry.pad(image), None, geometry)

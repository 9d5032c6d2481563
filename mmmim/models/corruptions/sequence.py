"""Corruptions one after the other."""

from torch import nn

from mmmim.registry import MODELS

from .base import Corrupted, Corruption


@MODELS.register_module()
class CorruptionSequence(Corruption):
    """Chain corruptions: each sees the images that the one before left.

    Beyond Masking's (arXiv:2203.14313) best method is such a chain: zoom-in, then 75 % masking.

    Args:
        steps (list[dict]): The corruptions, at most one of which gives a mask and at most one a
            geometry.
        predicts (str, optional): 'masked' or 'all': whether the loss covers masked cells, or also
            visible but degraded ones. By default 'masked' where there is a mask, as in Beyond
            Masking's code.

    Raises:
        ValueError: If there is no step, more than one gives a mask or a geometry, or ``predicts``
            does not fit.
    """

    def __init__(self, steps, predicts=None):
        super().__init__()
        self.steps = nn.ModuleList(MODELS.build(step) for step in steps)
        masking = [step for step in self.steps if step.masks]
        if not len(self.steps):
            raise ValueError('CorruptionSequence: steps is empty: give at least one corruption.')
        for what, count in (
            ('a mask', len(masking)),
            ('a geometry', sum(step.geometric for step in self.steps)),
        ):
            if count > 1:
                names = [type(step).__name__ for step in self.steps]
                raise ValueError(f'CorruptionSequence: {count} of {names} give {what}: keep one.')
        allowed = ('masked', 'all') if masking else ('all',)
        self.predicts = predicts or allowed[0]
        if self.predicts not in allowed:
            raise ValueError(
                f'CorruptionSequence: predicts must be one of {allowed}, got {predicts!r}.'
            )
        self.masks, self.exact_count = bool(masking), all(step.exact_count for step in masking)
        self.geometric = any(step.geometric for step in self.steps)
        self.fills = any(step.fills for step in self.steps)
        channels = [step.out_channels for step in self.steps if step.out_channels is not None]
        self.out_channels = channels[-1] if channels else None
        sizes = {step.patch_size for step in self.steps if hasattr(step, 'patch_size')}
        if len(sizes) > 1:
            raise ValueError(f'CorruptionSequence: the steps have patch sizes {sorted(sizes)}.')
        self.patch_size = sizes.pop() if sizes else None

    def forward(self, views, mask=None):
        if mask is not None and not self.masks:
            raise ValueError('CorruptionSequence: no step gives a mask, so none can be given.')
        images, geometry, hidden = views['image'], None, None
        for step in self.steps:
            result = step({**views, 'image': images}, mask if step.masks else None)
            images = result.images
            hidden = result.mask if step.masks else hidden
            geometry = result.geometry if step.geometric else geometry
        return Corrupted(images, hidden, geometry)

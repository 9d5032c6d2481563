"""Several decoders side by side."""

import torch
from mmengine.model import BaseModule, ModuleList
from torch import Tensor

from mmmim.registry import MODELS


@MODELS.register_module()
class ParallelDecoders(BaseModule):
    """Decoders that read the same latent; their predictions are joined along the width.

    For targets of several parts, such as the pixels and spectra of ``mmmim.SpectrumTarget``.

    Args:
        decoders (list[dict]): In the order of the target's parts.
        init_cfg (dict, optional): mmengine initialisation.

    Raises:
        ValueError: If there is none, or they disagree about width, prefix, grid, mask token or
            cells.
    """

    def __init__(self, decoders, init_cfg=None):
        super().__init__(init_cfg)
        self.decoders = ModuleList(MODELS.build(decoder) for decoder in decoders)
        if not len(self.decoders):
            raise ValueError('ParallelDecoders: decoders is empty: give at least one.')
        for name in ('in_dims', 'num_prefix', 'grid', 'predict'):
            values = {getattr(decoder, name, None) for decoder in self.decoders}
            if len(values) > 1:
                raise ValueError(f'ParallelDecoders: the decoders differ in {name}: {values}.')
            setattr(self, name, values.pop())
        if len({getattr(decoder, 'mask_token', None) is None for decoder in self.decoders}) > 1:
            raise ValueError('ParallelDecoders: some decoders have a mask token, others have none.')
        self.out_dims = sum(decoder.out_dims for decoder in self.decoders)

    @property
    def mask_token(self):
        """That of the first decoder, to tell whether there is one."""
        return getattr(self.decoders[0], 'mask_token', None)

    def forward(
        self, latent: Tensor, mask: Tensor | None = None, predict: str | None = None
    ) -> Tensor:
        """Arguments as those of the decoders. Returns (N, Lm or L, sum of the widths)."""
        preds = [decoder(latent, mask, predict=predict) for decoder in self.decoders]
        return torch.cat(preds, dim=-1)

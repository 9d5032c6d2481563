"""The one-layer prediction head of methods whose encoder sees mask tokens."""

import torch.nn as nn
from mmengine.model import BaseModule
from torch import Tensor

from mmmim.registry import MODELS

from .. import tokens
from ..transformer import init_linear_


@MODELS.register_module()
class LinearDecoder(BaseModule):
    """A linear layer from the latent to the target of each cell.

    BEiT's classifier of visual tokens (arXiv:2106.08254, section 2.3), MaskFeat's head
    (arXiv:2112.09133), SimMIM's (arXiv:2111.09886, section 3.3): a 1x1 convolution
    with pixel shuffle is this layer, its outputs in another order.

    Args:
        in_dims (int): Width of the latent.
        out_dims (int): Width T of the target.
        num_prefix (int): Prefix tokens in the latent.
        predict (str): 'masked' or 'all': the cells whose prediction is returned.
        init (str): 'trunc_normal', std 0.02 cut off at one standard deviation as in BEiT's code;
            or 'torch', torch's own as in SimMIM's.
        init_cfg (dict, optional): mmengine initialisation.

    Raises:
        ValueError: If ``predict`` or ``init`` is unknown.
    """

    def __init__(
        self,
        in_dims=768,
        out_dims=768,
        num_prefix=1,
        predict='masked',
        init='trunc_normal',
        init_cfg=None,
    ):
        super().__init__(init_cfg)
        if predict not in ('masked', 'all'):
            raise ValueError(f"predict must be 'masked' or 'all', got {predict!r}.")
        if init not in ('trunc_normal', 'torch'):
            raise ValueError(f"init must be 'trunc_normal' or 'torch', got {init!r}.")
        self.out_dims, self.num_prefix = out_dims, num_prefix
        self.predict, self.init = predict, init
        self.in_dims = in_dims
        self.decoder_pred = nn.Linear(in_dims, out_dims)

    def init_weights(self):
        """As ``init`` says."""
        super().init_weights()
        if self.init == 'trunc_normal':
            init_linear_(self, std=0.02, cut=1.0)
        else:
            self.decoder_pred.reset_parameters()

    def forward(
        self, latent: Tensor, mask: Tensor | None = None, predict: str | None = None
    ) -> Tensor:
        """
        Args:
            latent: (N, P + L, D).
            mask: (N, Gh, Gw) bool, True = masked. None: all cells are predicted.
            predict: 'masked' or 'all' instead of the configured choice.

        Returns:
            (N, Lm, T), masked cells in row-major order; (all masked cells, T) where samples hide
            different numbers of cells; or (N, L, T).

        Raises:
            ValueError: If the latent lacks cells.
        """
        cells = latent[:, self.num_prefix :]
        if mask is not None and cells.shape[1] != mask[0].numel():
            raise ValueError(
                f'the latent holds {cells.shape[1]} of {mask[0].numel()} cells, but LinearDecoder '
                "needs all of them: set model.backbone.masked='replace'."
            )
        if mask is not None and (predict or self.predict) == 'masked':
            equal = tokens.has_equal_counts(mask)
            cells = tokens.masked(cells, mask) if equal else cells[mask.flatten(1)]
        return self.decoder_pred(cells)

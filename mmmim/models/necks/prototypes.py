"""A head that scores tokens against learnt prototypes."""

import torch
import torch.nn.functional as F
from mmengine.model import BaseModule
from torch import Tensor, nn

from mmmim.registry import MODELS


class UnitLinear(nn.Module):
    """Linear layer without bias whose rows have a length of their own (weight normalisation).

    Stored as ``weight_v`` (direction) and ``weight_g`` (length), as in released DINO files. Written
    out, since torch's ``weight_norm`` cannot be copied once it has run, and momentum encoders are
    copies.

    Args:
        in_dims (int): Width of the input.
        out_dims (int): Number of rows K.
        unit_length (bool): Keep all lengths at 1.
    """

    def __init__(self, in_dims: int, out_dims: int, unit_length: bool = True):
        super().__init__()
        self.weight_v = nn.Parameter(torch.empty(out_dims, in_dims))
        self.weight_g = nn.Parameter(torch.ones(out_dims, 1), requires_grad=not unit_length)
        nn.init.trunc_normal_(self.weight_v, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., K)."""
        return F.linear(x, self.weight_g * F.normalize(self.weight_v, dim=1))


@MODELS.register_module()
class PrototypeHead(BaseModule):
    """Three-layer perceptron, L2 normalisation, and the cosine to each prototype.

    The head of DINO (arXiv:2104.14294, section 3.2 and appendix C) and iBOT (arXiv:2111.07832,
    section 3.2): GELU, no normalisation layer, weights truncated normal of 0.02.

    Args:
        in_dims (int): Width of the tokens.
        num_prototypes (int): K; DINO 65536, iBOT 8192.
        hidden_dims (int): Width of the perceptron.
        proj_dims (int): Width of the space of prototypes.
        num_layers (int): Linear layers before the prototypes.
        unit_length (bool): Prototypes of length 1 (``norm_last_layer`` of DINO: True for ViT-B,
            False advised for ViT-S).
        init_cfg (dict, optional): mmengine initialisation.

    Raises:
        ValueError: If ``num_layers`` is not positive.
    """

    def __init__(
        self,
        in_dims,
        num_prototypes=65536,
        hidden_dims=2048,
        proj_dims=256,
        num_layers=3,
        unit_length=True,
        init_cfg=None,
    ):
        super().__init__(init_cfg)
        if num_layers < 1:
            raise ValueError(f'PrototypeHead: num_layers={num_layers} must be at least 1.')
        self.in_dims = in_dims
        widths = [in_dims, *[hidden_dims] * (num_layers - 1), proj_dims]
        layers = []
        for fan_in, fan_out in zip(widths, widths[1:]):
            layers += [nn.Linear(fan_in, fan_out), nn.GELU()]
        self.mlp = nn.Sequential(*layers[:-1])
        self.last_layer = UnitLinear(proj_dims, num_prototypes, unit_length)
        self.num_prototypes = num_prototypes

    def init_weights(self):
        """Truncated normal of 0.02, bias 0."""
        super().init_weights()
        for part in self.mlp:
            if isinstance(part, nn.Linear):
                nn.init.trunc_normal_(part.weight, std=0.02)
                nn.init.zeros_(part.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """
        Args:
            tokens: (..., D).

        Returns:
            (..., K), cosines where prototypes have length 1.
        """
        x = self.mlp(tokens)
        # half precision would lose directions of small norm
        return self.last_layer(F.normalize(x.float(), dim=-1).to(x.dtype))

"""Attentive probing: one learnt query asks the tokens of a frozen encoder."""

import torch
from mmengine.model import BaseModule
from mmpretrain.models import LinearClsHead
from mmpretrain.models.utils import build_norm_layer
from torch import Tensor, nn

from mmmim.registry import MODELS

from ..regressor_block import CrossAttention
from ..transformer import LAYER_NORM

_QUERY_STD = 0.02  # of the projections [ours: that of BEiT's family]


class AttentivePool(BaseModule):
    """Tokens to one feature by the attention of one learnt query; no residual, no perceptron.

    CAE (arXiv:2202.03026, section 4.1), details from its code: the query starts at zero, query,
    keys and values have a LayerNorm each, the projections a bias for queries and values.

    Args:
        embed_dims (int): Width D.
        num_heads (int): Heads; must divide ``embed_dims``.
        norm_cfg (dict): Normalisation layer.
    """

    def __init__(self, embed_dims, num_heads, norm_cfg=LAYER_NORM):
        super().__init__(dict(type='TruncNormal', layer='Linear', std=_QUERY_STD))
        self.query_token = nn.Parameter(torch.zeros(1, 1, embed_dims))
        self.norm_q = build_norm_layer(norm_cfg, embed_dims)
        self.norm_k = build_norm_layer(norm_cfg, embed_dims)
        self.norm_v = build_norm_layer(norm_cfg, embed_dims)
        self.cross_attn = CrossAttention(embed_dims, num_heads)

    def forward(self, tokens: Tensor) -> Tensor:
        """(N, L, D) -> (N, D)."""
        query = self.norm_q(self.query_token).expand(len(tokens), -1, -1)
        return self.cross_attn(query, self.norm_k(tokens), self.norm_v(tokens))[:, 0]


@MODELS.register_module()
class AttentiveClsHead(LinearClsHead):
    """Attentive probe: :class:`AttentivePool`, BatchNorm without affine parameters, linear layer.

    The encoder below it is frozen by ``frozen_stages`` and gives its tokens after the final norm
    (``out_type='raw'``). BatchNorm's running statistics move in training alone.

    Args:
        num_classes (int): Classes.
        in_channels (int): Width D of the tokens.
        num_heads (int): Heads of the cross-attention; 12 in the paper for every size.
        with_cls_token (bool): Let the query see the class token, as the released code does. False
            leaves out the first token, which is how the paper's text reads.
        **kwargs: Of mmpretrain's ``LinearClsHead``.

    Raises:
        ValueError: If ``num_heads`` does not divide the width; in a forward pass, if the backbone
            gives no tokens.
    """

    def __init__(self, num_classes, in_channels, num_heads=12, with_cls_token=True, **kwargs):
        super().__init__(num_classes, in_channels, **kwargs)
        self.with_cls_token = with_cls_token
        self.pool = AttentivePool(in_channels, num_heads)
        self.norm = nn.BatchNorm1d(in_channels, eps=1e-5, momentum=0.1, affine=False)

    def pre_logits(self, feats) -> Tensor:
        """Last output of the backbone, (N, P + L, D) -> (N, D) float32."""
        tokens = feats[-1]
        if tokens.ndim != 3:
            raise ValueError(
                f'AttentiveClsHead needs tokens (N, L, D), got {tuple(tokens.shape)}: set '
                "out_type='raw' in the backbone."
            )
        pooled = self.pool(tokens if self.with_cls_token else tokens[:, 1:])
        return self.norm(pooled.float())

"""A decoder of cross-attention alone, which may predict a share of the masked cells."""

import torch
import torch.nn as nn
from mmengine.model import BaseModule
from mmengine.utils import to_2tuple
from mmpretrain.models.backbones import VisionTransformer
from mmpretrain.models.utils import build_norm_layer
from torch import Tensor

from mmmim.fast import stream
from mmmim.registry import MODELS

from .. import tokens
from ..position import fixed_table
from ..regressor_block import CrossAttention
from ..transformer import LAYER_NORM, FeedForward, init_linear_


class CrossBlock(nn.Module):
    """x + attention(norm(x), memory), then x + perceptron(norm(x))."""

    def __init__(self, embed_dims, num_heads, feedforward_channels, norm_cfg=LAYER_NORM):
        super().__init__()
        self.ln1 = build_norm_layer(norm_cfg, embed_dims)
        self.cross_attn = CrossAttention(embed_dims, num_heads)
        self.ln2 = build_norm_layer(norm_cfg, embed_dims)
        self.ffn = FeedForward(embed_dims, feedforward_channels)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """(N, K, D), (N, M, D) -> (N, K, D)."""
        x = x + self.cross_attn(self.ln1(x), memory, memory)
        return x + self.ffn(self.ln2(x))


@MODELS.register_module()
class CrossDecoder(BaseModule):
    """Masked cells ask the latent, never each other, so that any share of them can be predicted.

    It changes the work, so it is no fast path of MAE. CrossMAE (arXiv:2401.14391, sections 3.2 and
    3.3): no self-attention in the decoder, and the loss over ``share`` of the masked cells, drawn
    anew with each mask. All blocks read the latent as it is [the paper's learnt mixture of the
    encoder's blocks per decoder block is left out].

    Args:
        in_dims (int): Width of the latent.
        out_dims (int): Width T of the target.
        embed_dims (int): Width of the decoder.
        num_layers (int): Blocks.
        num_heads (int): Heads.
        mlp_ratio (float): Hidden width of the perceptrons over ``embed_dims``.
        share (float): Of the masked cells, predicted in training; in eval all are.
        img_size (int | tuple): (H, W) in pixels that the position table is laid out for.
        patch_size (int): Patch side in pixels.
        num_prefix (int): Prefix tokens in the latent.
        pos_embed (str): See :class:`TransformerDecoder`.
        norm_cfg (dict): Normalisation layer.
        init_cfg (dict, optional): mmengine initialisation.

    Raises:
        ValueError: If ``share`` lies outside (0, 1].
    """

    predict = 'masked'

    def __init__(
        self,
        in_dims=768,
        out_dims=768,
        embed_dims=512,
        num_layers=8,
        num_heads=16,
        mlp_ratio=4.0,
        share=0.25,
        img_size=224,
        patch_size=16,
        num_prefix=1,
        pos_embed='sincos',
        norm_cfg=LAYER_NORM,
        init_cfg=None,
    ):
        super().__init__(init_cfg)
        if not 0 < share <= 1:
            raise ValueError(f'share is that of the masked cells, in (0, 1], got {share}.')
        self.share, self.num_prefix = share, num_prefix
        self.in_dims, self.out_dims = in_dims, out_dims
        self.grid = tokens.exact_grid(to_2tuple(img_size), patch_size)
        self.decoder_embed = nn.Linear(in_dims, embed_dims)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, embed_dims))
        table = fixed_table(pos_embed, embed_dims, self.grid, num_prefix)
        self.decoder_pos_embed = nn.Parameter(table.clone(), requires_grad=False)
        hidden = int(mlp_ratio * embed_dims)
        self.decoder_blocks = nn.ModuleList(
            CrossBlock(embed_dims, num_heads, hidden, norm_cfg) for _ in range(num_layers)
        )
        self.ln1 = build_norm_layer(norm_cfg, embed_dims)
        self.decoder_pred = nn.Linear(embed_dims, out_dims)

    def init_weights(self):
        """As MAE (arXiv:2111.06377, appendix A.1)."""
        super().init_weights()
        init_linear_(self)
        nn.init.normal_(self.mask_token, std=0.02)

    def chosen(self, mask: Tensor) -> Tensor:
        """The masked cells that are predicted: (N, Gh, Gw) bool -> the same, a part of them."""
        count = max(1, round(tokens.num_masked(mask) * self.share))
        if not self.training or count == tokens.num_masked(mask):
            return mask
        cells = tokens.pick_masked(mask, count).visible
        part = torch.zeros_like(mask).flatten(1).scatter(1, cells, True)
        return tokens.stamp(part.view_as(mask), count)

    def position(self, grid) -> Tensor:
        """(Gh, Gw) -> (1, Gh * Gw, D)."""
        pos = self.decoder_pos_embed
        if tuple(grid) != tuple(self.grid):
            pos = VisionTransformer.resize_pos_embed(
                pos, self.grid, tuple(grid), mode='bicubic', num_extra_tokens=self.num_prefix
            )
        return pos[:, self.num_prefix :]

    def forward(self, latent: Tensor, mask: Tensor, predict: str | None = None) -> Tensor:
        """
        Args:
            latent: (N, P + Lv, D).
            mask: (N, Gh, Gw) bool, True = masked.
            predict: 'all' for every cell of the grid, visible ones asked for like masked ones.

        Returns:
            (N, K, T): the cells of :meth:`chosen` in row-major order, or (N, L, T).

        Raises:
            ValueError: If there is no mask.
        """
        if mask is None:
            raise ValueError('CrossDecoder needs a mask: use a corruption that masks.')
        pos = self.position(mask.shape[1:])
        if predict == 'all':
            pos = pos.expand(len(mask), -1, -1)
        else:
            pos = tokens.masked(pos, self.chosen(mask))
        memory = self.decoder_embed(latent)
        x = stream(self.mask_token + pos)
        for block in self.decoder_blocks:
            x = block(x, memory)
        return self.decoder_pred(self.ln1(x))

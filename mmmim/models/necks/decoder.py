"""The transformer decoder of masked autoencoders."""

import torch
import torch.nn as nn
from mmengine.model import BaseModule
from mmengine.utils import to_2tuple
from mmpretrain.models.backbones import VisionTransformer
from mmpretrain.models.utils import build_norm_layer
from torch import Tensor

from mmmim.fast import is_fast, stream
from mmmim.registry import MODELS

from .. import tokens
from ..position import fixed_table
from ..transformer import LAYER_NORM, Block, init_linear_


@MODELS.register_module()
class TransformerDecoder(BaseModule):
    """Predict the target of masked cells from the latent of visible ones.

    MAE, arXiv:2111.06377, section 3; parameters named as in mmpretrain's ``MAEPretrainDecoder``.
    Attention does not care about order, so tokens are never put back into the grid: prefix,
    visible, then mask tokens, each with its own position.

    Args:
        in_dims (int): Width of the latent.
        out_dims (int): Width T of the target.
        embed_dims (int): Width of the decoder.
        num_layers (int): Blocks.
        num_heads (int): Heads.
        mlp_ratio (float): Hidden width of the perceptrons over ``embed_dims``.
        img_size (int | tuple): (H, W) in pixels that the position table is laid out for.
        patch_size (int): Patch side in pixels.
        num_prefix (int): Prefix tokens in the latent.
        drop_edge (float): Dropout on the softmaxed attention of every block while training (Robust
            MAE, section 2.1: 0.3). Nothing else in the decoder is dropped.
        predict (str): 'masked' or 'all': the cells whose prediction is returned.
        mask_tokens (bool): Have a mask token. False where the latent always holds every cell:
            degradations without a mask, and backbones that replace masked patches themselves.
        pos_embed (str): 'sincos' (MAE's), 'sincos_row_first' or 'sinusoid_1d' (Beyond Masking).
        embed_bias (bool): Bias of the projection from the latent; Beyond Masking has none.
        init (str): 'mae', Xavier; or 'trunc_normal', Beyond Masking's: std 0.02 cut off at one
            standard deviation, the projection from the latent as torch makes it.
        norm_cfg (dict): Normalisation layer.
        init_cfg (dict, optional): mmengine initialisation.

    Raises:
        ValueError: If ``drop_edge`` lies outside [0, 1), or another option is unknown.
    """

    def __init__(
        self,
        in_dims=768,
        out_dims=768,
        embed_dims=512,
        num_layers=8,
        num_heads=16,
        mlp_ratio=4.0,
        img_size=224,
        patch_size=16,
        num_prefix=1,
        drop_edge=0.0,
        predict='masked',
        mask_tokens=True,
        pos_embed='sincos',
        embed_bias=True,
        init='mae',
        norm_cfg=LAYER_NORM,
        init_cfg=None,
    ):
        super().__init__(init_cfg)
        if not 0 <= drop_edge < 1:
            raise ValueError(f'drop_edge is a probability in [0, 1), got {drop_edge}.')
        if predict not in ('masked', 'all'):
            raise ValueError(f"predict must be 'masked' or 'all', got {predict!r}.")
        if init not in ('mae', 'trunc_normal'):
            raise ValueError(f"init must be 'mae' or 'trunc_normal', got {init!r}.")
        self.init = init
        self.predict, self.num_prefix, self.out_dims = predict, num_prefix, out_dims
        size = to_2tuple(img_size)
        self.grid = tokens.exact_grid(size, patch_size)
        self.in_dims = in_dims
        self.decoder_embed = nn.Linear(in_dims, embed_dims, bias=embed_bias)
        self.mask_token = nn.Parameter(torch.zeros(1, 1, embed_dims)) if mask_tokens else None
        table = fixed_table(pos_embed, embed_dims, self.grid, num_prefix)
        self.decoder_pos_embed = nn.Parameter(torch.empty(table.shape), requires_grad=False)
        self.decoder_pos_embed.data.copy_(table)
        self.decoder_blocks = nn.ModuleList(
            Block(
                embed_dims,
                num_heads,
                int(mlp_ratio * embed_dims),
                attn_drop_rate=drop_edge,
                norm_cfg=norm_cfg,
            )
            for _ in range(num_layers)
        )
        self.ln1 = build_norm_layer(norm_cfg, embed_dims)
        self.decoder_pred = nn.Linear(embed_dims, out_dims)

    def init_weights(self):
        """Initialise as MAE (arXiv:2111.06377, appendix A.1) or as Beyond Masking's code."""
        super().init_weights()
        if self.init == 'mae':
            init_linear_(self)
            if self.mask_token is not None:
                nn.init.normal_(self.mask_token, std=0.02)
            return
        for part in (self.decoder_blocks, self.ln1, self.decoder_pred):
            init_linear_(part, std=0.02, cut=1.0)
        if self.mask_token is not None:
            nn.init.trunc_normal_(self.mask_token, std=0.02, a=-0.02, b=0.02)

    def position(self, grid) -> Tensor:
        """(Gh, Gw) -> (1, P + Gh * Gw, D)."""
        if tuple(grid) == tuple(self.grid):
            return self.decoder_pos_embed
        return VisionTransformer.resize_pos_embed(
            self.decoder_pos_embed,
            self.grid,
            tuple(grid),
            mode='bicubic',
            num_extra_tokens=self.num_prefix,
        )

    def forward(
        self,
        latent: Tensor,
        mask: Tensor | None = None,
        predict: str | None = None,
        with_features: bool = False,
    ):
        """
        Args:
            latent: (N, P + Lv, D), or with mid-level mask tokens behind them, or (N, P + L, D) of a
                backbone that keeps all tokens.
            mask: (N, Gh, Gw) bool, True = masked. None: the latent holds every cell of the
                configured grid.
            predict: 'masked' or 'all' instead of the configured choice.
            with_features: Return the input of the last linear layer too.

        Returns:
            (N, Lm, T), masked cells in row-major order, or (N, L, T); with features a pair, the
            second of the decoder's width.
        """
        features = self._features(latent, mask, predict)
        pred = self.decoder_pred(features)
        return (pred, features) if with_features else pred

    def _features(self, latent, mask, predict):
        predict = predict or self.predict
        grid = self.grid if mask is None else mask.shape[1:]
        length = grid[0] * grid[1]
        pos = self.position(grid)
        x = self.decoder_embed(latent)
        prefix = x[:, : self.num_prefix] + pos[:, : self.num_prefix]
        cells, pos = x[:, self.num_prefix :], pos[:, self.num_prefix :]
        if cells.shape[1] == length:
            x = torch.cat([prefix, cells + pos], dim=1)
            x = self._decode(x, length)
            if mask is not None and predict == 'masked':
                x = tokens.masked(x, mask)
            return x
        given, missing = self._layout(mask, cells.shape[1])
        if self.mask_token is None:
            raise ValueError(
                f'the latent holds {cells.shape[1]} of {length} cells, and without mask tokens '
                'there is nothing to put into the others: set mask_tokens=True.'
            )
        mask_tokens = self.mask_token + tokens.gather(pos, missing)
        x = torch.cat([prefix, cells + tokens.gather(pos, given), mask_tokens.to(x.dtype)], dim=1)
        order = torch.cat([given, missing], dim=1)
        wanted = tokens.num_masked(mask) if predict == 'masked' else length
        x, order = self._decode(x, wanted), order[:, -wanted:]
        if predict == 'masked':
            num_visible = length - wanted
            if given.shape[1] == num_visible:  # the tail is in row-major order already
                return x
        return tokens.gather(x, order.argsort(dim=1))

    def _decode(self, x, wanted):
        """The last ``wanted`` tokens; in training the last block spares itself the others."""
        x = stream(x)
        spare = wanted < x.shape[1] and torch.is_grad_enabled() and is_fast('decoder')
        for left, block in zip(range(len(self.decoder_blocks), 0, -1), self.decoder_blocks):
            x = block(x, last=wanted) if spare and left == 1 else block(x)
        return self.ln1(x[:, -wanted:])

    @staticmethod
    def _layout(mask, num_cells):
        """Grid indices of the cells in the latent, in its order, and of the missing ones."""
        if mask is None:
            raise ValueError(
                f'a latent of {num_cells} cells that is not the whole grid needs the mask.'
            )
        split = tokens.split(mask)
        extra = num_cells - split.visible.shape[1]
        if extra == 0:
            return split.visible, split.masked
        mid = tokens.pick_masked(mask, extra)
        return torch.cat([split.visible, mid.visible], dim=1), mid.masked

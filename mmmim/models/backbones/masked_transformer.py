"""What masked vision transformers share: embedding, positions, masked tokens, outputs."""

from collections import deque
from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn as nn
from mmengine.model import BaseModule
from mmengine.utils import to_2tuple
from mmpretrain.models.backbones import VisionTransformer
from mmpretrain.models.utils import build_norm_layer
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from mmmim.fast import stream

from .. import tokens
from ..lean import worth_it
from ..position import FIXED_TABLES, fixed_table, follow_table
from ..transformer import LAYER_NORM, init_linear_
from .archs import resolve_arch
from .outputs import OUT_TYPES, VisionOutputs
from .patch_embed import PatchEmbed

POSITIONS = ('none', 'learned', *FIXED_TABLES)


class MaskedTransformer(VisionOutputs, BaseModule):
    """A vision transformer of any kind of block, with the parameter names of mmpretrain.

    With a mask it encodes visible tokens alone (``masked='drop'``, MAE, arXiv:2111.06377) or puts
    a learnt token in place of masked patches (``masked='replace'``, BEiT, arXiv:2106.08254).

    Args:
        block (Callable): (width, heads, hidden width, **rates) -> a block.
        arch (str | dict): 'tiny', 'small', 'base', 'large', 'huge', any name of mmpretrain's
            ``VisionTransformer``, or a dict with ``embed_dims``, ``num_layers``, ``num_heads``,
            ``feedforward_channels``. 'small' is the field's ViT-S (384 wide, 12 layers, 6 heads),
            not mmpretrain's.
        img_size (int | tuple): (H, W) in pixels that position tables are laid out for.
        patch_size (int): Patch side in pixels.
        in_channels (int): Image channels.
        out_indices (int | Sequence[int]): Blocks whose outputs are returned when nothing is masked.
        out_type (str): 'raw', 'cls_token', 'featmap' or 'avg_featmap', as in mmpretrain.
        drop_rate (float): Dropout after embedding, attention and perceptron.
        attn_drop_rate (float): Dropout on the softmaxed attention.
        drop_path_rate (float): Stochastic depth of the last block, rising linearly from 0.
        norm_cfg (dict): Normalisation layer.
        final_norm (bool): Normalise the output of the last block.
        pool_norm (str): Where the norm after pooling ('avg_featmap') starts when ``pretrained`` is
            read: 'fresh' (MAE), or 'pretrained', from the file's final norm (CAE).
        tap_norm (bool): Give the final norm to every output of ``out_indices``, not to the last
            block's alone (iBOT's segmentation).
        with_cls_token (bool): Put a class token in front.
        frozen_stages (int): Freeze the embedding and the first blocks; -1 freezes nothing.
        pos_embed (str): 'sincos' (fixed, MAE's convention), 'sincos_row_first' (fixed, that of MoCo
            v3 and CAE), 'sinusoid_1d' (fixed, over the cells in row-major order), 'learned' or
            'none'.
        pos_resize (str): How the table follows another input size: 'interpolate'
            (``interpolate_mode``) or 'recompute' (2-D fixed tables, in their own convention).
        interpolate_mode (str): Mode of the interpolation.
        layer_scale_init_value (float): Initial LayerScale, 0 for none.
        masked (str): 'drop', 'replace', or 'add': the learnt token is added to masked patches,
            which a corruption has painted over (A2MIM, arXiv:2205.13943).
        with_cp (bool): Recompute blocks in the backward pass to save memory.
        pretrained (str, optional): Checkpoint of any supported layout, read at the end of
            ``init_weights``.
        init_cfg (dict, optional): mmengine initialisation; ``dict(type='Pretrained',
            checkpoint=...)`` means ``pretrained``.

    Raises:
        ValueError: For an unknown option or one outside its range.
    """

    def __init__(
        self,
        block,
        arch='base',
        img_size=224,
        patch_size=16,
        in_channels=3,
        out_indices=-1,
        out_type='cls_token',
        drop_rate=0.0,
        attn_drop_rate=0.0,
        drop_path_rate=0.0,
        norm_cfg=LAYER_NORM,
        final_norm=True,
        pool_norm='fresh',
        with_cls_token=True,
        tap_norm=False,
        frozen_stages=-1,
        pos_embed='sincos',
        pos_resize='interpolate',
        interpolate_mode='bicubic',
        layer_scale_init_value=0.0,
        masked='drop',
        with_cp=False,
        pretrained=None,
        init_cfg=None,
    ):
        if isinstance(init_cfg, dict) and init_cfg.get('type') == 'Pretrained':
            pretrained, init_cfg = init_cfg['checkpoint'], None
        super().__init__(init_cfg)
        self.arch_settings = resolve_arch(arch)
        self.embed_dims = self.arch_settings['embed_dims']
        self.num_layers = self.arch_settings['num_layers']
        self.img_size = to_2tuple(img_size)
        self.patch_size = patch_size
        self.out_type, self.with_cls_token, self.final_norm = out_type, with_cls_token, final_norm
        self.pos_type, self.pos_resize = pos_embed, pos_resize
        self.interpolate_mode, self.masked = interpolate_mode, masked
        self.pool_norm = pool_norm
        self.with_cp, self.frozen_stages, self.pretrained = with_cp, frozen_stages, pretrained
        self.tap_norm, self.num_prefix = tap_norm, int(with_cls_token)
        self._check_options()
        self.out_indices = self._resolve_out_indices(out_indices)

        self.patch_embed = PatchEmbed(in_channels, self.embed_dims, patch_size)
        self.grid = self.patch_embed.grid(self.img_size)
        self._build_tokens()
        self.drop_after_pos = nn.Dropout(drop_rate)
        self.layers = nn.ModuleList(
            block(
                self.embed_dims,
                self.arch_settings['num_heads'],
                self.arch_settings['feedforward_channels'],
                attn_drop_rate=attn_drop_rate,
                drop_rate=drop_rate,
                drop_path_rate=float(rate),
                layer_scale_init_value=layer_scale_init_value,
                norm_cfg=norm_cfg,
            )
            for rate in np.linspace(0, drop_path_rate, self.num_layers)
        )
        if final_norm:
            self.ln1 = build_norm_layer(norm_cfg, self.embed_dims)
        if out_type == 'avg_featmap':
            self.ln2 = build_norm_layer(norm_cfg, self.embed_dims)
        self._freeze_stages()

    def _check_options(self):
        choices = dict(
            out_type=(self.out_type, OUT_TYPES),
            pos_embed=(self.pos_type, POSITIONS),
            pos_resize=(self.pos_resize, ('interpolate', 'recompute')),
            masked=(self.masked, ('drop', 'replace', 'add')),
            pool_norm=(self.pool_norm, ('fresh', 'pretrained')),
        )
        for name, (value, allowed) in choices.items():
            if value not in allowed:
                raise ValueError(f'{name} must be one of {tuple(sorted(allowed))}, got {value!r}.')
        if self.pos_resize == 'recompute' and not self.pos_type.startswith('sincos'):
            raise ValueError("pos_resize='recompute' needs a fixed table (pos_embed='sincos...').")
        if self.tap_norm and not self.final_norm:
            raise ValueError('tap_norm=True needs final_norm=True: it is that norm.')
        if self.out_type == 'cls_token' and not self.with_cls_token:
            raise ValueError("out_type='cls_token' needs with_cls_token=True.")
        if not -1 <= self.frozen_stages <= self.num_layers:
            raise ValueError(
                f'frozen_stages must lie in -1..{self.num_layers}, got {self.frozen_stages}.'
            )

    def _resolve_out_indices(self, out_indices) -> Sequence[int]:
        given = [out_indices] if isinstance(out_indices, int) else list(out_indices)
        indices = [i + self.num_layers if i < 0 else i for i in given]
        if any(not 0 <= i < self.num_layers for i in indices):
            raise ValueError(
                f'out_indices {given} do not fit {self.num_layers} blocks '
                f'(0..{self.num_layers - 1}).'
            )
        return indices

    def _build_tokens(self):
        dims = self.embed_dims
        self.cls_token = nn.Parameter(torch.zeros(1, 1, dims)) if self.with_cls_token else None
        if self.masked != 'drop':
            self.mask_token = nn.Parameter(torch.zeros(1, 1, dims))
        if self.pos_type == 'none':
            self.pos_embed = None
            return
        length = self.num_prefix + self.grid[0] * self.grid[1]
        self.pos_embed = nn.Parameter(
            torch.zeros(1, length, dims), requires_grad=self.pos_type == 'learned'
        )
        if self.pos_type != 'learned':
            self.pos_embed.data.copy_(self._fixed_table(self.grid))
        self.register_load_state_dict_post_hook(follow_table)

    def _fixed_table(self, grid) -> Tensor:
        return fixed_table(self.pos_type, self.embed_dims, tuple(grid), self.num_prefix)

    def init_weights(self):
        """Initialise, then read ``pretrained``; nothing overwrites what that loads."""
        super().init_weights()
        if self._is_init_from_checkpoint():
            return
        self._init_values()
        if self.pretrained is not None:
            from mmmim.transfer import load_pretrained

            load_pretrained(self, self.pretrained)

    def _init_values(self):
        """As MAE (arXiv:2111.06377, appendix A.1)."""
        init_linear_(self)
        weight = self.patch_embed.projection.weight
        nn.init.xavier_uniform_(weight.data.view(weight.shape[0], -1))
        for name in ('cls_token', 'mask_token'):
            if getattr(self, name, None) is not None:
                nn.init.normal_(getattr(self, name), std=0.02)
        if self.pos_type == 'learned':
            nn.init.trunc_normal_(self.pos_embed, std=0.02)

    def _is_init_from_checkpoint(self) -> bool:
        cfgs = self.init_cfg if isinstance(self.init_cfg, (list, tuple)) else [self.init_cfg]
        return any(cfg and cfg.get('type') == 'Pretrained' for cfg in cfgs)

    def position(self, grid) -> Tensor | None:
        """Position embedding of any grid: (Gh, Gw) -> (1, P + Gh * Gw, D); None for 'none'."""
        if self.pos_embed is None or tuple(grid) == tuple(self.grid):
            return self.pos_embed
        if self.pos_resize == 'recompute':
            return self._fixed_table(grid).to(self.pos_embed)
        return VisionTransformer.resize_pos_embed(
            self.pos_embed,
            self.grid,
            tuple(grid),
            mode=self.interpolate_mode,
            num_extra_tokens=self.num_prefix,
        )

    def forward(self, images: Tensor, mask: Tensor | None = None):
        """Encode images.

        Args:
            images: (N, C, H, W) float, normalised. Any size when nothing is masked (padded with
                zeros at the bottom and on the right to whole patches).
            mask: (N, Gh, Gw) bool, True = masked, the same count in every sample. None masks
                nothing.

        Returns:
            With a mask, the latent: (N, P + Lv, D) for 'drop', visible tokens in row-major order,
            then mid-level mask tokens if there are any; (N, P + L, D) for 'replace'. Without one,
            a tuple with an output per entry of ``out_indices``, formatted by ``out_type``.

        Raises:
            ValueError: If the mask does not fit the image.
        """
        if mask is None:
            return self.encode_dense(images)
        grid = tokens.exact_grid(images.shape[-2:], self.patch_size)
        if tuple(mask.shape[1:]) != grid:
            raise ValueError(
                f'a mask of {tuple(mask.shape[1:])} cells does not fit an image of {grid} patches.'
            )
        x = deque(self._blocks(self._embed(images, grid, mask), grid, mask), maxlen=1).pop()
        return self.ln1(x) if self.final_norm else x

    def _embed(self, images, grid, mask=None) -> Tensor:
        """Patch embedding plus position, prefix in front: (N, P + L or Lv, D)."""
        pos = self.position(grid)
        drop = mask is not None and self.masked == 'drop'
        x = self.patch_embed(images, mask if drop else None)
        if not drop and mask is not None:
            token = self.mask_token.to(x.dtype)
            token = token + x if self.masked == 'add' else token
            x = torch.where(mask.flatten(1).unsqueeze(-1), token, x)
        if pos is not None:
            patch_pos = pos[:, self.num_prefix :]
            x = x + (tokens.visible(patch_pos, mask) if drop else patch_pos)
        if self.cls_token is not None:
            cls_token = self.cls_token if pos is None else self.cls_token + pos[:, :1]
            x = torch.cat([cls_token.expand(len(x), -1, -1).to(x.dtype), x], dim=1)
        return stream(self.drop_after_pos(x))

    def _blocks(self, x: Tensor, grid, mask: Tensor | None = None) -> Iterator[Tensor]:
        """The output of each block in turn."""
        for layer in self.layers:
            x = self._run(layer, x)
            yield x

    def _run(self, layer, x, *more):
        if self.with_cp and x.requires_grad:
            return checkpoint(layer, x, *more, use_reentrant=False)
        return layer(x, *more, lean=True) if worth_it(x) else layer(x, *more)

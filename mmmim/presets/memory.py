"""How many images fit: computed from sizes, not measured."""

from __future__ import annotations

import math

from mmmim.engine.errors import ConfigError
from mmmim.models.backbones.archs import resolve_arch

GIB = 2**30
USABLE = 0.85  # the rest is the CUDA context, workspaces and gaps between blocks [ours]
STATE = 16  # bytes per parameter: weight, gradient and AdamW's averages in float32
# Bytes per token and unit of width that a block keeps for its backward pass in 16 bits, with
# attention that keeps no matrix: Korthikanti et al. (arXiv:2205.05198), section 4.1.
KEPT = 34
KEPT_WITH_CP = 2  # the input of each block alone
MARGIN = 1.5  # for embeddings, targets, losses and what autocast keeps twice [ours]
RELAXED = 2.7  # R-MAE encodes and decodes the second view too; counted: docs/models.md
FEW = 32


def set_memory(cfg, gibibytes: float) -> str:
    """Choose images per process, and checkpointing where few would fit.

    The images per update stay: the launcher accumulates.

    Args:
        cfg (Config): Changed in place.
        gibibytes: Memory of one GPU.

    Returns:
        A line that says what was chosen.

    Raises:
        ConfigError: If not even one image fits.
    """
    fixed = STATE * parameters(cfg)
    room = USABLE * gibibytes * GIB - fixed
    backbone = cfg.model.backbone
    most = (cfg.get('auto_scale_lr') or {}).get('base_batch_size') or 4096
    fitting = int(room / bytes_per_image(cfg))
    if fitting < min(FEW, most) and not backbone.get('with_cp'):
        backbone.with_cp = True
        fitting = int(room / bytes_per_image(cfg))
    if fitting < 1:
        raise ConfigError(
            f'--memory {gibibytes:g}: the model alone takes {fixed / GIB:.1f} GiB, and no image '
            'fits beside it: take a smaller model (--model) or smaller images.'
        )
    batch = min(most, 1 << fitting.bit_length() - 1)
    cfg.train_dataloader.batch_size = batch
    kept = ', activations recomputed' if backbone.get('with_cp') else ''
    need = fixed + batch * bytes_per_image(cfg)
    return (
        f'{batch} images per process{kept}: about {need / GIB:.1f} of {gibibytes:g} GiB '
        '(computed, not measured)'
    )


def parameters(cfg) -> int:
    """Roughly: 12 D**2 per block of encoder and decoder, and their momentum copies."""
    arch = resolve_arch(cfg.model.backbone.get('arch', 'base'))
    encoder = arch['num_layers'] * block_parameters(arch['embed_dims'])
    total = encoder + sum(d * block_parameters(w) for d, w in _decoders(cfg.model.get('neck')))
    return round(total * (1.25 if cfg.model.get('momentum') is not None else 1.0))


def block_parameters(width: int) -> int:
    return 12 * width**2


def bytes_per_image(cfg) -> float:
    """Activations that one image leaves for the backward pass."""
    backbone = cfg.model.backbone
    arch = resolve_arch(backbone.get('arch', 'base'))
    cells = math.ceil(backbone.img_size / backbone.patch_size) ** 2
    ratio = (cfg.model.get('corruption') or {}).get('mask_ratio') or 0.0
    seen = cells * (1 - ratio) if backbone.get('masked', 'drop') == 'drop' else cells
    kept = KEPT_WITH_CP if backbone.get('with_cp') else KEPT
    need = seen * _views(cfg, cells) * arch['embed_dims'] * (kept * arch['num_layers'] + KEPT)
    need += sum(cells * width * KEPT * depth for depth, width in _decoders(cfg.model.get('neck')))
    return MARGIN * need * (RELAXED if _kind(cfg) == 'RelaxedMIM' else 1)


def _kind(cfg) -> str:
    return str(cfg.model.get('type', '')).split('.')[-1]


def _views(cfg, cells: int) -> float:
    """Tokens that are encoded per image, in units of one view."""
    kind = _kind(cfg)
    if kind == 'SelfDistillation':
        return 2 + _local_views(cfg, cells)
    return 2 if kind in ('TwoViewContrast', 'ContrastiveMIM', 'MutualPrediction') else 1


def _local_views(cfg, cells: int) -> float:
    for step in cfg.train_dataloader.dataset.get('pipeline') or ():
        count = (step.get('repeats') or {}).get('local')
        if count:
            crop = next(part['size'] for part in step['views']['local'] if 'size' in part)
            return count * (crop / cfg.model.backbone.patch_size) ** 2 / cells
    return 0.0


def _decoders(node) -> list[tuple[int, int]]:
    """(blocks, width) of everything below a neck that has blocks."""
    if isinstance(node, (list, tuple)):
        return [found for item in node for found in _decoders(item)]
    if not isinstance(node, dict):
        return []
    depth = node.get('num_layers', 0) if 'num_heads' in node else 0
    depth += node.get('regressor_depth', 0) + node.get('decoder_depth', 0)
    own = [(depth, node['embed_dims'])] if depth and 'embed_dims' in node else []
    return own + [found for value in node.values() for found in _decoders(value)]

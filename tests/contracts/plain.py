"""The backbone of mmpretrain that each of ours is when nothing is masked.

A new backbone without an entry in ``PLAIN`` fails: a function of (ours, its config) that builds the
twin, or None where mmpretrain has none.
"""

import copy
import inspect

import mmpretrain.models.backbones
from torch import nn

OURS_ALONE = {'mask_token', 'mid_mask_token'}
THEIRS_ALONE = 'relative_position_index'  # a table of constants


def keywords_of(kind, cfg) -> dict:
    """The part of a config that another class knows."""
    known = set(inspect.signature(kind.__init__).parameters) - {'init_cfg', 'self'}
    return {key: value for key, value in cfg.items() if key in known}


def vision_transformer(ours, cfg):
    kind = mmpretrain.models.backbones.VisionTransformer
    return kind(**keywords_of(kind, cfg))


def beit(ours, cfg):
    """Their defaults are not ours, and what is one option here is two switches there."""
    kind = mmpretrain.models.backbones.BEiTViT
    switches = dict(
        use_abs_pos_emb=ours.pos_type != 'none',
        use_rel_pos_bias=ours.rel_pos == 'per_block',
        use_shared_rel_pos_bias=ours.rel_pos == 'shared',
        **{name: getattr(ours, name) for name in ('final_norm', 'out_type', 'with_cls_token')},
    )
    return kind(**{**keywords_of(kind, cfg), **switches})


def swin(ours, cfg):
    kind = mmpretrain.models.backbones.SwinTransformer
    return kind(**keywords_of(kind, cfg))


PLAIN = {
    'DiscreteVAE': None,  # a tokenizer in training
    'MaskedBEiT': beit,
    'MaskedSwin': swin,
    'MaskedViT': vision_transformer,
}


def twin(ours: nn.Module, cfg: dict) -> nn.Module | None:
    """mmpretrain's version of a backbone with the same weights, in eval mode."""
    build = PLAIN[type(ours).__name__]
    if build is None:
        return None
    module = build(ours, copy.deepcopy(dict(cfg)))
    module.eval()  # returns None in mmpretrain
    missing, unexpected = module.load_state_dict(ours.state_dict(), strict=False)
    assert [name for name in missing if not name.endswith(THEIRS_ALONE)] == []
    assert set(unexpected) <= OURS_ALONE
    return module

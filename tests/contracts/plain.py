"""The backbone of mmpretrain that each of ours is when nothing is masked.

A new backbone without an entry in ``PLAIN`` fails: a function of the backbone's config that builds
the twin, or None where mmpretrain has none.
"""

import copy
import inspect

import mmpretrain.models.backbones
from torch import nn

OURS_ALONE = {'mask_token', 'mid_mask_token'}


def of_same_keywords(name):
    """Twins whose keywords are ours, as far as they have them."""
    kind = getattr(mmpretrain.models.backbones, name)
    keywords = set(inspect.signature(kind.__init__).parameters) - {'init_cfg', 'self'}

    def build(cfg) -> nn.Module:
        return kind(**{key: value for key, value in cfg.items() if key in keywords})

    return build


PLAIN = {
    'DiscreteVAE': None,  # a tokenizer in training
    'MaskedViT': of_same_keywords('VisionTransformer'),
}


def twin(name: str, cfg: dict) -> nn.Module | None:
    """mmpretrain's version of our backbone ``name``, in eval mode."""
    if PLAIN[name] is None:
        return None
    module = PLAIN[name](copy.deepcopy(dict(cfg)))
    module.eval()  # returns None in mmpretrain
    return module

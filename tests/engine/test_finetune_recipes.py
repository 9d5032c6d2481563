"""What the recipes of fine-tuning decay and at which rate they end."""

import pytest
import torch
from helpers import configs, data
from mmengine.registry import DefaultScope

from mmmim.engine.optimizers import LayerDecayOptimWrapperConstructor
from mmmim.registry import MODELS

FOLDER = configs.CONFIGS / 'classification'
RECIPES = sorted(FOLDER.glob('finetune*.py'))
DECAYED_TABLES = [path for path in RECIPES if '-cae_' in path.name or '-beit_' in path.name]


@pytest.mark.parametrize('path', DECAYED_TABLES[:2] + DECAYED_TABLES[-1:], ids=configs.name)
def test_relative_tables_are_decayed_at_the_rate_of_their_block(path, tmp_path):
    """As in BEiT's code, where class token and absolute positions alone are exempt."""
    cfg = configs.load(path)
    with DefaultScope.overwrite_default_scope(cfg.default_scope), torch.device('meta'):
        model = MODELS.build(data.runnable_model(cfg, tmp_path))
    wrapper = dict(cfg.optim_wrapper)
    constructor = LayerDecayOptimWrapperConstructor(wrapper, wrapper.pop('paramwise_cfg'))
    groups = {
        id(p): group for group in constructor.parameter_groups(model) for p in group['params']
    }
    for layer in model.backbone.layers:
        table = groups[id(layer.attn.relative_position_bias_table)]
        assert table is groups[id(layer.attn.qkv.weight)]
        assert table['weight_decay'] == 0.05
        assert groups[id(layer.attn.q_bias)]['weight_decay'] == 0
    assert groups[id(model.backbone.cls_token)]['weight_decay'] == 0


@pytest.mark.parametrize('path', RECIPES, ids=configs.name)
def test_the_cosine_ends_at_a_millionth_times_the_layers_scale(path):
    """DeiT's ends at 1e-5, as its code."""
    cfg = configs.load(path)
    last = cfg.param_scheduler[-1]
    if 'eta_min' in last:
        assert path.name.startswith('finetune-deit') and last.eta_min == 1e-5
    else:
        assert last.eta_min_ratio * cfg.optim_wrapper.optimizer.lr == pytest.approx(1e-6)

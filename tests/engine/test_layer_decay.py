"""Layer-wise decay against the formula and mmpretrain, and the number of groups."""

import copy

import pytest
import torch
from mmengine.registry import OPTIM_WRAPPER_CONSTRUCTORS, DefaultScope
from mmpretrain.models import VisionTransformer
from torch import nn

from mmmim.models.backbones import MaskedBEiT, MaskedViT

DEPTH, RATE, LR, WD = 3, 0.5, 1e-2, 0.05
ARCH = dict(embed_dims=16, num_layers=DEPTH, num_heads=2, feedforward_channels=32)


class Model(nn.Module):
    """Backbone, neck and head as the hosts arrange them."""

    def __init__(self, backbone):
        super().__init__()
        self.backbone = backbone
        self.neck = nn.Linear(16, 8)
        self.head = nn.Linear(8, 4)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.LayerNorm(16)
        self.fc = nn.Linear(16, 16)


class TimmLike(nn.Module):
    """No get_layer_depth: the layers are told by the names alone."""

    def __init__(self):
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, 16))
        self.pos_embed = nn.Parameter(torch.zeros(1, 5, 16))
        self.patch_embed = nn.Conv2d(3, 16, 4, 4)
        self.blocks = nn.Sequential(*[Block() for _ in range(DEPTH)])
        self.norm = nn.LayerNorm(16)


def mmpretrain_vit():
    return VisionTransformer(arch=ARCH, img_size=16, patch_size=8)


def build(model, paramwise=None, **optimizer):
    optimizer = dict(dict(type='AdamW', lr=LR, weight_decay=WD), **optimizer)
    cfg = dict(optimizer=optimizer)
    constructor = OPTIM_WRAPPER_CONSTRUCTORS.build(
        dict(
            type='mmmim.LayerDecayOptimWrapperConstructor',
            optim_wrapper_cfg=cfg,
            paramwise_cfg=paramwise,
        )
    )
    return constructor(model)


def per_parameter(model, wrapper):
    """name -> (lr, weight decay) of each parameter in the optimizer."""
    names = {id(p): n for n, p in model.named_parameters()}
    return {
        names[id(p)]: (g['lr'], g['weight_decay'])
        for g in wrapper.optimizer.param_groups
        for p in g['params']
    }


def slow_reference(name, param, depth):
    """The official rule, written from the text of the recipe."""
    if not name.startswith('backbone.'):
        layer = depth + 1
    elif any(part in name for part in ('patch_embed', 'pos_embed', 'cls_token')):
        layer = 0
    elif '.layers.' in name and 'backbone.layers.' in name:
        layer = int(name.split('backbone.layers.')[1].split('.')[0]) + 1
    elif 'backbone.blocks.' in name:
        layer = int(name.split('backbone.blocks.')[1].split('.')[0]) + 1
    else:
        layer = depth + 1
    decays = param.ndim > 1 and 'pos_embed' not in name
    return LR * RATE ** (depth + 1 - layer), WD if decays else 0.0


@pytest.mark.parametrize('backbone', [mmpretrain_vit, TimmLike])
def test_rates_follow_the_formula(backbone):
    model = Model(backbone())
    found = per_parameter(model, build(model, dict(layer_decay_rate=RATE)))
    trainable = {n: p for n, p in model.named_parameters() if p.requires_grad}
    assert found.keys() == trainable.keys()
    for name, param in trainable.items():
        assert found[name] == pytest.approx(slow_reference(name, param, DEPTH), abs=0), name
    rates = {lr for lr, _ in found.values()}
    assert len(rates) == DEPTH + 2  # every block has its own rate


def test_same_as_mmpretrain():
    from mmpretrain.models import ImageClassifier

    scope = DefaultScope.get_instance('test_layer_decay', scope_name='mmpretrain')
    model = ImageClassifier(
        backbone=dict(type='VisionTransformer', arch=ARCH, img_size=16, patch_size=8),
        head=dict(type='LinearClsHead', num_classes=4, in_channels=16),
    )
    assert scope.scope_name == 'mmpretrain'
    theirs = OPTIM_WRAPPER_CONSTRUCTORS.build(
        dict(
            type='mmpretrain.LearningRateDecayOptimWrapperConstructor',
            optim_wrapper_cfg=dict(optimizer=dict(type='AdamW', lr=LR, weight_decay=WD)),
            paramwise_cfg=dict(
                layer_decay_rate=RATE,
                flat_decay_mult=0.0,
                custom_keys={
                    '.cls_token': dict(decay_mult=0.0),
                    '.pos_embed': dict(decay_mult=0.0),
                },
            ),
        )
    )(copy.deepcopy(model))
    ours = build(model, dict(layer_decay_rate=RATE, token_decay_mult=0.0))
    reference = {
        g['param_name']: (g['lr'], g['weight_decay']) for g in theirs.optimizer.param_groups
    }
    found = per_parameter(model, ours)
    assert found.keys() == reference.keys()
    for name, pair in found.items():
        assert pair == pytest.approx(reference[name]), name
    assert len(ours.optimizer.param_groups) <= 2 * (DEPTH + 2) < len(theirs.optimizer.param_groups)


def beit():
    sizes = dict(arch=ARCH, img_size=16, patch_size=8)
    return MaskedBEiT(**sizes, rel_pos='per_block', pos_embed='learned', out_type='featmap')


def windowed():
    return MaskedViT(
        ARCH,
        img_size=16,
        patch_size=8,
        with_cls_token=False,
        out_type='featmap',
        pos_embed='learned',
        layer_scale_init_value=0.1,
        window_size=1,
        global_blocks=(2,),
        rel_pos='decomposed',
    )


@pytest.mark.parametrize('backbone', [beit, windowed])
def test_tables_and_layer_scale_go_with_their_block(backbone):
    """In whatever model the backbone sits: Model stands for classifier, detector and segmentor."""
    model = Model(backbone())
    wrapper = build(model, dict(layer_decay_rate=RATE))
    assert len(wrapper.optimizer.param_groups) <= 2 * (DEPTH + 2)
    found, seen = per_parameter(model, wrapper), set()
    for name, (lr, decay) in found.items():
        for part in ('relative_position_bias_table', 'rel_pos_h', 'rel_pos_w', 'gamma'):
            if part in name:
                seen.add(part)
                block = int(name.split('layers.')[1].split('.')[0])
                assert lr == pytest.approx(LR * RATE ** (DEPTH - block)) and decay == 0.0, name
    assert seen == (
        {'relative_position_bias_table', 'gamma'}
        if backbone is beit
        else {'rel_pos_h', 'rel_pos_w', 'gamma'}
    )
    assert {lr for name, (lr, _) in found.items() if not name.startswith('backbone')} == {LR}


def test_few_groups_and_full_rate_first():
    model = Model(mmpretrain_vit())
    plain = build(model).optimizer.param_groups
    assert len(plain) == 2 and plain[0]['weight_decay'] == WD
    groups = build(model, dict(layer_decay_rate=RATE)).optimizer.param_groups
    assert len(groups) <= 2 * (DEPTH + 2)
    assert groups[0]['lr'] == LR and groups[0]['weight_decay'] == WD
    assert sum(len(g['params']) for g in groups) == sum(p.requires_grad for p in model.parameters())


def test_options_and_custom_keys():
    model = Model(TimmLike())
    options = dict(
        token_decay_mult=0.0,
        pos_embed_decay_mult=1.0,
        flat_decay_mult=0.5,
        custom_keys={
            'head': dict(lr_mult=10.0),
            'head.bias': dict(decay_mult=0.25),
            'neck': dict(betas=(0.5, 0.6)),
        },
    )
    wrapper = build(model, options)
    found = per_parameter(model, wrapper)
    assert found['backbone.cls_token'] == (LR, 0.0)
    assert found['backbone.pos_embed'] == (LR, WD)
    assert found['backbone.norm.bias'] == (LR, WD * 0.5)
    assert found['head.weight'] == pytest.approx((LR * 10, WD))
    assert found['head.bias'] == (LR, WD * 0.25)  # the longest key decides alone
    betas = [
        g['betas']
        for g in wrapper.optimizer.param_groups
        if any(p is model.neck.weight for p in g['params'])
    ]
    assert betas == [(0.5, 0.6)]


def test_frozen_parameters_are_left_out():
    model = Model(TimmLike())
    model.backbone.requires_grad_(False)
    assert all(name.startswith(('neck', 'head')) for name in per_parameter(model, build(model)))
    model.requires_grad_(False)
    with pytest.raises(ValueError, match='no trainable'):
        build(model)


def test_errors_say_what_to_do():
    model = Model(TimmLike())
    with pytest.raises(ValueError, match=r"did you mean 'layer_decay_rate'"):
        build(model, dict(layer_decay=0.5))
    with pytest.raises(ValueError, match=r'\(0, 1\]'):
        build(model, dict(layer_decay_rate=1.5))
    model.backbone = nn.Linear(16, 16)
    with pytest.raises(ValueError, match='get_layer_depth'):
        build(model, dict(layer_decay_rate=0.5))
    del model.backbone
    with pytest.raises(ValueError, match='backbone'):
        build(model, dict(layer_decay_rate=0.5))
    assert build(model)  # no decay, no backbone needed


@pytest.fixture
def messages(monkeypatch):
    said = []
    monkeypatch.setattr(
        'mmmim.engine.optimizers.layer_decay.print_log', lambda text, **kwargs: said.append(text)
    )
    return said


def test_unused_custom_key_is_said(messages):
    build(Model(TimmLike()), dict(custom_keys={'no_such_module': dict(lr_mult=0.1)}))
    assert len(messages) == 1 and 'no_such_module' in messages[0]


def test_table_is_printed_once_with_every_depth(messages):
    build(Model(TimmLike()), dict(layer_decay_rate=RATE))
    (table,) = messages
    lines = table.splitlines()[1:]
    assert [line.split()[0] for line in lines] == ['embedding'] + ['block'] * DEPTH + ['rest']
    assert f'lr {LR * RATE ** (DEPTH + 1):.3e}' in lines[0] and f'lr {LR:.3e}' in lines[-1]

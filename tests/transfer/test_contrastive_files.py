"""Released files of MoCo v3, DINO, iBOT and DeiT, by their names: the right encoder, nothing else.

Each holds two encoders, or heads whose layers look like an encoder's.
"""

import argparse

import pytest
import torch
from checkpoints import ARCH, DIMS, save, timm_names

from mmmim.models.backbones import MaskedViT
from mmmim.transfer import load_pretrained


def prefixed(prefix, state):
    return {f'{prefix}{name}': value for name, value in state.items()}


def perceptron(prefix, layers, norms):
    """Linear layers ``prefix.N`` and batch norms, as torch's Sequential names them."""
    state = {f'{prefix}.{n}.weight': torch.ones(6, 6) for n in layers}
    for n, affine in norms.items():
        state.update(
            {
                f'{prefix}.{n}.running_mean': torch.zeros(6),
                f'{prefix}.{n}.running_var': torch.ones(6),
                f'{prefix}.{n}.num_batches_tracked': torch.tensor(7),
            }
        )
        if affine:
            state.update({f'{prefix}.{n}.{end}': torch.ones(6) for end in ('weight', 'bias')})
    return state


def prototypes(prefix):
    """The head of DINO and iBOT."""
    state = {}
    for n in (0, 2, 4):
        state[f'{prefix}mlp.{n}.weight'], state[f'{prefix}mlp.{n}.bias'] = (
            torch.ones(6, 6),
            torch.ones(6),
        )
    state[f'{prefix}last_layer.weight_g'] = torch.ones(9, 1)
    state[f'{prefix}last_layer.weight_v'] = torch.ones(9, 6)
    return state


def released():
    """Layout -> (file content, seed of the encoder that is meant)."""
    args = argparse.Namespace(arch='vit_base')
    right, decoy = timm_names(seed=3), timm_names(seed=4)
    masked = dict(masked_embed=torch.ones(1, DIMS))
    projector = perceptron('head', (0, 3, 6), {1: True, 4: True, 7: False})
    predictor = perceptron('module.predictor', (0, 3), {1: True, 4: False})
    moco = {
        **prefixed('module.base_encoder.', {**right, **projector}),
        **prefixed('module.momentum_encoder.', {**decoy, **projector}),
        **predictor,
    }
    heads = {**prototypes('head.'), **prefixed('head.', prototypes(''))}
    dino = dict(
        student=prefixed('module.', {**prefixed('backbone.', decoy), **heads}),
        teacher={**prefixed('backbone.', right), **heads},
        optimizer=dict(state={}, param_groups=[]),
        dino_loss=dict(center=torch.zeros(1, 9)),
        fp16_scaler=dict(scale=1.0),
        epoch=100,
        args=args,
    )
    ibot = dict(
        student=prefixed('module.', {**prefixed('backbone.', {**decoy, **masked}), **heads}),
        teacher={**prefixed('backbone.', {**right, **masked}), **heads},
        ibot_loss=dict(center=torch.zeros(1, 9), center2=torch.zeros(1, 1, 9)),
        epoch=400,
        args=args,
    )
    deit_head = {'head.weight': torch.ones(5, DIMS), 'head.bias': torch.ones(5)}
    return {
        'moco v3': dict(epoch=300, arch='vit_base', state_dict=moco, optimizer=dict(state={})),
        'moco v3, linear probe': dict(state_dict=prefixed('module.', {**right, **deit_head})),
        'dino': dino,
        'dino, backbone alone': right,
        'ibot': ibot,
        'ibot, backbone alone': dict(state_dict={**right, **masked}),
        'ibot, student alone': dict(student=prefixed('module.', prefixed('backbone.', right))),
        'deit': dict(model={**right, **deit_head}),
        'deit, distilled head': dict(
            model={**right, **deit_head, **prefixed('head_dist.', dict(weight=torch.ones(5, 3)))}
        ),
    }


@pytest.mark.parametrize('name', released())
def test_the_encoder_that_is_evaluated_is_loaded_whole(tmp_path, name):
    path = save(tmp_path / 'x.pth', released()[name])
    model = MaskedViT(arch=ARCH, img_size=16, patch_size=4, pos_embed='learned')
    report = load_pretrained(model, path, allow_pickle=True)
    own, names = model.state_dict(), timm_names(seed=3)
    assert len(report.loaded) == len(own) == len(names)
    assert not (report.missing or report.unexpected or report.new or report.resized)
    pairs = {
        'layers.1.attn.qkv.weight': 'blocks.1.attn.qkv.weight',
        'layers.0.ffn.layers.1.bias': 'blocks.0.mlp.fc2.bias',
        'ln1.weight': 'norm.weight',
        'pos_embed': 'pos_embed',
        'patch_embed.projection.weight': 'patch_embed.proj.weight',
    }
    for ours, theirs in pairs.items():
        assert torch.equal(own[ours], names[theirs]), ours
    total = sum(value.double().sum() for value in own.values())
    assert total == pytest.approx(sum(v.double().sum() for v in names.values()).item())

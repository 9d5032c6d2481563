"""The plain backbone against mmpretrain's and timm's vision transformers."""

import mae
import pytest
import torch
from mmpretrain.models.backbones import VisionTransformer
from names import from_timm

from mmmim.models.backbones import MaskedViT

ARCH = dict(embed_dims=32, num_layers=3, num_heads=4, feedforward_channels=64)
SHAPE = dict(arch=ARCH, img_size=32, patch_size=8)
TOKENS = frozenset({'cls_token', 'pos_embed'})


def random_backbone(**options):
    return mae.randomise(MaskedViT(**SHAPE, pos_embed='learned', **options)).eval()


def run(model, image, pick):
    """Outputs and the gradients of their squares."""
    model.zero_grad()
    outputs = pick(model(image))
    sum(output.square().mean() for output in outputs).backward()
    return outputs, {n: p.grad for n, p in model.named_parameters() if p.grad is not None}


OPTIONS = [
    dict(out_type='cls_token'),
    dict(out_type='raw', out_indices=[0, 1, 2]),
    dict(out_type='featmap', out_indices=[0, 2]),
    dict(out_type='avg_featmap', final_norm=False),
    dict(out_type='featmap', with_cls_token=False),
    dict(out_type='raw', final_norm=False, qkv_bias=False, layer_scale_init_value=0.1),
    dict(out_type='cls_token', frozen_stages=2),
]


@pytest.mark.parametrize('options', OPTIONS, ids=str)
@pytest.mark.parametrize('size', [(32, 32), (40, 24), (35, 50)])
def test_it_is_mmpretrains_vision_transformer(options, size):
    """At its own, at another and at an odd size; gradients included."""
    ours = random_backbone(**options)
    theirs = VisionTransformer(**SHAPE, **options)
    theirs.load_state_dict(ours.state_dict())
    theirs.eval()
    image = torch.randn(2, 3, *size)
    (outputs, gradients), (expected, reference) = (run(m, image, list) for m in (ours, theirs))
    torch.testing.assert_close(outputs, expected, **mae.TOLERANCE)
    mae.assert_same_gradients(gradients, reference)


@pytest.mark.parametrize('rate', [0.3, 0.6])
def test_stochastic_depth_is_mmpretrains(rate):
    """The same draws in the same order fall on the same branches."""
    ours = random_backbone(out_type='raw', drop_path_rate=rate).train()
    theirs = VisionTransformer(**SHAPE, out_type='raw', drop_path_rate=rate)
    theirs.load_state_dict(ours.state_dict())
    theirs.train()
    image = torch.randn(8, 3, 32, 32)
    torch.manual_seed(1)
    output = ours(image)[0]
    torch.manual_seed(1)
    torch.testing.assert_close(output, theirs(image)[0], **mae.TOLERANCE)


def timm_twin(ours, **options):
    timm = pytest.importorskip('timm')
    theirs = timm.models.VisionTransformer(
        img_size=32, patch_size=8, embed_dim=32, depth=3, num_heads=4, mlp_ratio=2, num_classes=0,
        **options,
    ).eval()  # fmt: skip
    names = from_timm({name: name for name in theirs.state_dict()})
    state = {names_of: ours.state_dict()[name] for name, names_of in names.items()}
    theirs.load_state_dict(state)
    assert set(names) == set(ours.state_dict())
    return theirs


TIMM = [
    (dict(out_type='cls_token'), dict(global_pool='token')),
    (dict(out_type='avg_featmap', final_norm=False), dict(global_pool='avg')),
    (dict(out_type='raw'), dict(global_pool='')),
    (dict(out_type='raw', with_cls_token=False), dict(global_pool='', class_token=False)),
]


@pytest.mark.parametrize(('options', 'timm_options'), TIMM, ids=str)
def test_it_is_timms_vision_transformer(options, timm_options):
    ours = random_backbone(**options)
    theirs = timm_twin(ours, **timm_options)
    image = torch.randn(2, 3, 32, 32)
    (outputs, gradients), (expected, reference) = (
        run(ours, image, list),
        run(theirs, image, lambda output: [output]),
    )
    torch.testing.assert_close(outputs, expected, **mae.TOLERANCE)
    mae.assert_same_gradients(gradients, from_timm(reference))


def test_its_feature_maps_are_timms():
    ours = random_backbone(out_type='featmap', out_indices=[0, 1, 2], final_norm=False)
    with_norm = random_backbone(out_type='featmap')
    with_norm.load_state_dict(ours.state_dict(), strict=False)
    theirs = timm_twin(with_norm)
    image = torch.randn(2, 3, 32, 32)
    maps = theirs.forward_intermediates(image, indices=[0, 1, 2], intermediates_only=True)
    torch.testing.assert_close(list(ours(image)), maps, **mae.TOLERANCE)

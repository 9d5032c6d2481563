"""Encoders of Beyond Masking in a plain colour classifier: fewer channels, other biases."""

import pytest
import torch
from mmengine.registry import MODELS, DefaultScope

from mmmim.models.backbones import MaskedBEiT, MaskedViT
from mmmim.transfer import load_pretrained

ARCH = dict(embed_dims=32, num_layers=2, num_heads=4, feedforward_channels=64)
SIZES = dict(arch=ARCH, img_size=16, patch_size=4)
NO_BEIT = dict(rel_pos='none', layer_scale_init_value=0.0, masked='drop', init='trunc_normal')


def encoder(in_channels):
    """As a pre-training leaves it: no class token, 1-D sinusoid, biases that are not zero."""
    torch.manual_seed(0)
    options = dict(with_cls_token=False, pos_embed='sinusoid_1d', out_type='raw', **NO_BEIT)
    model = MaskedBEiT(**SIZES, in_channels=in_channels, **options)
    model.init_weights()
    for name, parameter in model.named_parameters():
        if name.endswith('bias'):
            torch.nn.init.normal_(parameter)
    return model.eval()


def save(model, path):
    state = {f'backbone.{name}': value for name, value in model.state_dict().items()}
    torch.save(dict(state_dict=state), path)
    return path


@pytest.mark.parametrize('in_channels', [1, 3])
def test_decolour_encoders_see_grey_alike_in_a_colour_model(tmp_path, in_channels):
    """The tokens of a grey image are those of pre-training, in the plain ViT of fine-tuning."""
    trained = encoder(in_channels)
    path = save(trained, tmp_path / 'epoch_1.pth')
    colour = MaskedViT(**SIZES, with_cls_token=False, pos_embed='learned', out_type='raw').eval()
    report = load_pretrained(colour, path)
    assert report.missing == report.unexpected == report.mismatched == []
    resized = ['patch_embed.projection.weight'] if in_channels == 1 else []
    assert report.resized == resized
    grey = torch.randn(2, 1, 16, 16)
    expected = trained(grey.expand(-1, in_channels, -1, -1))[0]
    torch.testing.assert_close(
        colour(grey.expand(-1, 3, -1, -1))[0], expected, rtol=1e-4, atol=1e-5
    )
    weight = colour.patch_embed.projection.weight
    assert weight.shape[1] == 3 and weight.abs().sum((0, 2, 3)).min() > 0


@pytest.mark.parametrize('in_channels', [1, 3])
def test_decolour_encoders_start_a_classifier(tmp_path, in_channels):
    """Through the keyword of the fine-tuning recipes, class token and all; it trains on colour."""
    path = save(encoder(in_channels), tmp_path / 'epoch_1.pth')
    cfg = dict(
        type='ImageClassifier',
        backbone=dict(
            type='mmmim.MaskedViT', **SIZES, pos_embed='learned', out_type='avg_featmap',
            final_norm=False, pretrained=str(path),
        ),
        head=dict(type='LinearClsHead', num_classes=5, in_channels=32),
    )  # fmt: skip
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        model = MODELS.build(cfg)
        model.init_weights()
    trained = torch.load(path, weights_only=True)['state_dict']['backbone.layers.1.attn.v_bias']
    assert torch.equal(model.backbone.layers[1].attn.qkv.bias[64:], trained)
    images = torch.randn(2, 3, 16, 16)
    model(images, mode='tensor')[0].sum().backward()
    gradient = model.backbone.patch_embed.projection.weight.grad
    assert not torch.allclose(gradient[:, 0], gradient[:, 1])


def test_a_joint_bias_is_split_where_the_model_has_two(tmp_path):
    """The key bias is dropped, which no output shows."""
    torch.manual_seed(0)
    plain = MaskedViT(**SIZES, out_type='raw')
    plain.init_weights()
    for layer in plain.layers:
        torch.nn.init.normal_(layer.attn.qkv.bias)
    beit = MaskedBEiT(**SIZES, **NO_BEIT, pos_embed='sincos', out_type='raw').eval()
    load_pretrained(beit, save(plain, tmp_path / 'epoch_1.pth'))
    images = torch.randn(2, 3, 16, 16)
    torch.testing.assert_close(beit(images), plain.eval()(images), rtol=1e-4, atol=1e-5)

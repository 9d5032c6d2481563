"""Whole pre-training models: every tensor in its place, or an error."""

import pytest
import torch
from checkpoints import ARCH, DEPTH, DIMS, PATCH, mae_decoder, save, timm_names

import mmmim
from mmmim.registry import MODELS
from mmmim.transfer import load_checkpoint


def model(img_size=16, **neck):
    size = dict(img_size=img_size, patch_size=PATCH)
    cfg = dict(
        type='mmmim.MaskedImageModeling',
        corruption=dict(type='mmmim.RandomMasking', patch_size=PATCH, mask_ratio=0.75),
        backbone=dict(type='mmmim.MaskedViT', arch=ARCH, out_type='raw', **size),
        neck=dict(
            type='mmmim.TransformerDecoder',
            in_dims=DIMS,
            out_dims=3 * PATCH**2,
            embed_dims=16,
            num_layers=1,
            num_heads=2,
            **{**dict(mlp_ratio=4), **size, **neck},
        ),
        target=dict(type='mmmim.PixelTarget', patch_size=PATCH, normalize='rgb', per_patch=True),
        loss=dict(type='mmmim.MaskedRegressionLoss', p=2),
    )
    return MODELS.build(cfg)


def official():
    return dict(model={**timm_names(), **mae_decoder()})


def test_official_mae(tmp_path):
    ours, content = model(), official()
    result = mmmim.load_checkpoint(ours, save(tmp_path / 'mae.pth', content))
    state = content['model']
    assert result['loaded'] == len(state)
    assert ours.backbone.pos_embed.equal(state['pos_embed'])
    block, theirs = ours.neck.decoder_blocks[0], 'decoder_blocks.0'
    pairs = {
        f'{theirs}.norm1.weight': block.ln1.weight,
        f'{theirs}.attn.qkv.weight': block.attn.qkv.weight,
        f'{theirs}.attn.proj.bias': block.attn.proj.bias,
        f'{theirs}.norm2.bias': block.ln2.bias,
        f'{theirs}.mlp.fc1.weight': block.ffn.layers[0][0].weight,
        f'{theirs}.mlp.fc2.weight': block.ffn.layers[1].weight,
        'decoder_norm.weight': ours.neck.ln1.weight,
        'decoder_pred.bias': ours.neck.decoder_pred.bias,
        'decoder_embed.weight': ours.neck.decoder_embed.weight,
        'decoder_pos_embed': ours.neck.decoder_pos_embed,
        'mask_token': ours.neck.mask_token,
        'norm.weight': ours.backbone.ln1.weight,
        f'blocks.{DEPTH - 1}.mlp.fc2.weight': ours.backbone.layers[-1].ffn.layers[1].weight,
    }
    for name, value in pairs.items():
        assert value.equal(state[name]), name


def test_hugging_face_mae_predicts_the_same(tmp_path):
    transformers = pytest.importorskip('transformers')
    torch.manual_seed(0)
    config = transformers.ViTMAEConfig(
        hidden_size=DIMS,
        num_hidden_layers=DEPTH,
        num_attention_heads=4,
        intermediate_size=64,
        image_size=16,
        patch_size=PATCH,
        layer_norm_eps=1e-6,
        decoder_hidden_size=16,
        decoder_num_hidden_layers=1,
        decoder_num_attention_heads=2,
        decoder_intermediate_size=64,
    )
    theirs = transformers.ViTMAEForPreTraining(config).eval()
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    ours = model().eval()
    load_checkpoint(ours, save(tmp_path / 'hf.pth', theirs.state_dict()))
    images, noise = torch.randn(2, 3, 16, 16), torch.rand(2, 16)
    with torch.no_grad():
        expected = theirs(images, noise=noise)
        mask = expected.mask.view(2, 4, 4).bool()
        pred = ours.neck(ours.backbone(images, mask), mask, predict='all')
    torch.testing.assert_close(pred, expected.logits, atol=1e-5, rtol=1e-5)


def test_our_own_files_with_and_without_wrappers(tmp_path):
    torch.manual_seed(0)
    source, target = model(), model()
    for parameter in source.parameters():
        torch.nn.init.normal_(parameter)
    state = source.state_dict()
    wrapped = {f'module.{name}': value for name, value in state.items()}
    for content in (dict(state_dict=state, meta=dict(epoch=1)), dict(state_dict=wrapped)):
        load_checkpoint(target, save(tmp_path / 'epoch_1.pth', content))
        assert all(v.equal(state[k]) for k, v in target.state_dict().items())
        target.init_weights()


def broken():
    fewer, more, deeper = official()['model'], official()['model'], official()['model']
    del fewer['decoder_norm.bias']
    more['decoder_extra.weight'] = torch.ones(1)
    deeper.update({f'decoder_blocks.1.norm{k}.weight': torch.ones(16) for k in (1, 2)})
    return {
        'fewer': (fewer, r'missing \(1\): neck.ln1.bias'),
        'more': (more, r'unexpected \(1\): neck.decoder_extra.weight'),
        'deeper': (deeper, r'unexpected \(2\): neck.decoder_blocks.1.ln1.weight'),
        'encoder alone': (timm_names(), 'timm layout.*no whole pre-training model'),
        'size': (
            {**timm_names(grid=(3, 3)), **mae_decoder(grid=(3, 3))},
            r'other shape \(2\): backbone.pos_embed, neck.decoder_pos_embed',
        ),
    }


@pytest.mark.parametrize('name', broken())
def test_anything_less_is_an_error(tmp_path, name):
    state, message = broken()[name]
    ours = model()
    before = {key: value.clone() for key, value in ours.state_dict().items()}
    with pytest.raises(ValueError, match=f'bad.pth.*{message}'):
        load_checkpoint(ours, save(tmp_path / 'bad.pth', dict(model=state)))
    assert all(value.equal(before[key]) for key, value in ours.state_dict().items())

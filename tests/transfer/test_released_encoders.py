"""Encoders of released files: names and shapes of keys/*.txt in the backbones they belong to."""

from pathlib import Path

import pytest
import torch
from checkpoints import ARCH, save

from mmmim.models.backbones import MaskedBEiT, MaskedViT
from mmmim.transfer import load_pretrained

KEYS = Path(__file__).parent / 'keys'
# File -> what its encoder needs beside ViT-B, layout, names that the classifier adds.
PLAIN = {
    'mae_vit_b_pretrain': ('facebookresearch/mae', ['ln2.weight', 'ln2.bias']),
    'mae_vit_b_finetune_global_pool': ('timm', []),
    'timm_vit_base_patch16_224': ('timm', ['ln2.weight', 'ln2.bias']),
    'transformers_vitmae_b_pretrain': ('Hugging Face', ['ln2.weight', 'ln2.bias']),
}


def write_file(name, path):
    """Tensors of the released shapes that share one number each."""
    state = {}
    for line in (KEYS / f'{name}.txt').read_text().splitlines():
        tensor, shape = line.split('\t')
        state[tensor] = torch.zeros(1).expand([int(side) for side in shape.split('x')])
    return save(path, dict(model=state))


@pytest.mark.filterwarnings('ignore:for .* copying from a non-meta')
@pytest.mark.parametrize('name', PLAIN)
def test_every_tensor_of_a_released_encoder_has_its_place(name, tmp_path):
    layout, new = PLAIN[name]
    with torch.device('meta'):
        model = MaskedViT('base', out_type='avg_featmap', final_norm=not name.endswith('pool'))
    report = load_pretrained(model, write_file(name, tmp_path / 'file.pth'))
    assert report.layout == layout and report.new == new
    assert not (report.missing or report.unexpected or report.mismatched or report.resized)
    assert len(report.loaded) == report.shared == len(model.state_dict()) - len(new)


@pytest.mark.parametrize('shared', [True, False])
def test_hugging_faces_beit_and_ours_agree(tmp_path, shared):
    transformers = pytest.importorskip('transformers')
    config = transformers.BeitConfig(
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        image_size=16,
        patch_size=4,
        layer_norm_eps=1e-6,
        layer_scale_init_value=0.1,
        use_shared_relative_position_bias=shared,
        use_relative_position_bias=not shared,
        use_mean_pooling=True,
    )
    theirs = transformers.BeitModel(config).eval()
    for parameter in theirs.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    path = save(tmp_path / 'beit.pth', theirs.state_dict())
    settings = dict(img_size=16, patch_size=4, rel_pos='shared' if shared else 'per_block')
    ours = MaskedBEiT(ARCH, **settings, out_type='raw', final_norm=False).eval()
    report = load_pretrained(ours, path)
    assert report.layout == 'Hugging Face' and report.new == ['mask_token']
    assert not (report.missing or report.unexpected or report.mismatched or report.resized)
    images = torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        found, expected = ours(images)[0], theirs(images)
        torch.testing.assert_close(found, expected.last_hidden_state, atol=1e-5, rtol=1e-5)
        pooled = MaskedBEiT(ARCH, **settings, out_type='avg_featmap', final_norm=False).eval()
        assert load_pretrained(pooled, path).new == ['mask_token']
        torch.testing.assert_close(pooled(images)[0], expected.pooler_output, atol=1e-5, rtol=1e-5)


def windowed(rel_pos, size, window):
    torch.manual_seed(0)
    model = MaskedViT(
        ARCH,
        img_size=size,
        patch_size=4,
        with_cls_token=False,
        out_type='featmap',
        window_size=window,
        global_blocks=(1,),
        rel_pos=rel_pos,
        rel_pos_resize='geometric',
    )
    for name, parameter in model.named_parameters():
        if 'rel_pos' in name:
            torch.nn.init.normal_(parameter)
    return model.eval()


@pytest.mark.parametrize('rel_pos', ['decomposed', 'window_tables'])
def test_tables_of_windows_follow_another_size_at_load_as_at_run_time(rel_pos, tmp_path):
    """A detector's encoder starts another one: what is computed then does not depend on which of
    the two was told the size."""
    file = windowed(rel_pos, (32, 32), 3)
    path = save(tmp_path / 'detector.pth', dict(state_dict=file.state_dict()))
    larger = windowed(rel_pos, (40, 48), 3)
    report = load_pretrained(larger, dict(path=path, grid=(8, 8)))
    tables = [name for name in report.resized if 'rel_pos' in name]
    assert len(tables) == (2 if rel_pos == 'decomposed' else 1)  # of the global block
    assert not (report.missing or report.unexpected or report.mismatched or report.new)
    images = torch.randn(1, 3, 40, 48)
    with torch.no_grad():
        torch.testing.assert_close(larger(images)[0], file(images)[0], atol=1e-4, rtol=1e-4)
    other = windowed(rel_pos, (32, 32), 5)
    report = load_pretrained(other, path)
    assert not report.mismatched and any('rel_pos' in name for name in report.resized)


def test_the_cause_names_tables_that_the_model_has_no_place_for(tmp_path):
    file = windowed('decomposed', (32, 32), 3)
    path = save(tmp_path / 'detector.pth', dict(state_dict=file.state_dict()))
    plain = MaskedViT(ARCH, img_size=32, patch_size=4, with_cls_token=False, out_type='raw')
    with pytest.raises(ValueError, match='relative positions by axis yes in the file, no in the'):
        load_pretrained(plain, path)

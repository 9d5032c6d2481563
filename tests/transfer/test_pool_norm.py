"""Where the norm after pooling starts: anew (MAE), or from the encoder's final norm (CAE)."""

import pytest
import torch
from torch import nn

from mmmim.models.backbones import MaskedBEiT
from mmmim.transfer import load_pretrained

ARCH = dict(embed_dims=32, num_layers=2, num_heads=4, feedforward_channels=64)
SETTINGS = dict(arch=ARCH, img_size=32, patch_size=8, pos_embed='sincos_row_first', masked='drop')


@pytest.fixture
def file(tmp_path):
    torch.manual_seed(0)
    encoder = MaskedBEiT(**SETTINGS, rel_pos='none', out_type='raw')
    for param in encoder.parameters():
        nn.init.normal_(param)
    torch.save(encoder.state_dict(), tmp_path / 'encoder.pth')
    return tmp_path / 'encoder.pth', encoder


def fine_tuned(pool_norm, **options):
    options = dict(rel_pos='per_block', final_norm=False, out_type='avg_featmap') | options
    return MaskedBEiT(**SETTINGS, **options, pool_norm=pool_norm)


def test_from_the_final_norm(file):
    path, encoder = file
    model = fine_tuned('pretrained')
    report = load_pretrained(model, path)
    assert torch.equal(model.ln2.weight, encoder.ln1.weight)
    assert torch.equal(model.ln2.bias, encoder.ln1.bias)
    assert not [name for name in report.new if name.startswith('ln')]
    assert not [name for name in report.new if 'relative_position' not in name]
    assert report.missing == report.unexpected == []


def test_anew(file):
    path, _ = file
    model = fine_tuned('fresh')
    report = load_pretrained(model, path)
    assert (model.ln2.weight == 1).all() and not model.ln2.bias.any()
    assert {'ln2.weight', 'ln2.bias'} <= set(report.new)


def test_a_model_with_both_norms_keeps_them_apart(file):
    path, encoder = file
    model = fine_tuned('pretrained', final_norm=True)
    load_pretrained(model, path)
    assert torch.equal(model.ln1.weight, encoder.ln1.weight)
    assert (model.ln2.weight == 1).all()


def test_a_fine_tuned_file_brings_its_own(file, tmp_path):
    path, _ = file
    model = fine_tuned('pretrained')
    load_pretrained(model, path)
    nn.init.constant_(model.ln2.weight, 3.0)
    torch.save(model.state_dict(), tmp_path / 'tuned.pth')
    again = fine_tuned('pretrained')
    load_pretrained(again, tmp_path / 'tuned.pth')
    assert torch.equal(again.ln2.weight, model.ln2.weight)


def test_other_values_are_refused():
    with pytest.raises(ValueError, match=r"pool_norm must be one of .* got 'old'"):
        fine_tuned('old')

"""docs/tables.md: every row's config and options merge, and its encoder fits its transfer model."""

import re
from functools import cache
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmmim.engine.options import common_parser
from mmmim.models.backbones.archs import resolve_arch
from mmmim.registry import MODELS
from mmmim.transfer import load_pretrained

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / 'docs/tables.md'
_LINK = re.compile(r'\[[^]]+\]\(\.\./(configs/[^)]+\.py)\)')
_NUMBER = re.compile(r'\d+(\.\d+)?( / \d+\.\d+)?$|not in our copy$')


def read_rows():
    """(label, pre-training config or None, transfer config, options, number) of every row."""
    section = ''
    for line in PAGE.read_text(encoding='utf-8').splitlines():
        section = line[3:] if line.startswith('## ') else section
        cells = [cell.strip() for cell in line.split('|')[1:-1]]
        if len(cells) == 5 and cells[0] not in ('row', '---'):
            label, before, transfer, options, number = cells
            yield f'{section}: {label}', before, transfer, re.findall('`([^`]+)`', options), number


ROWS = tuple(read_rows())


@cache
def config(path):
    return Config.fromfile(ROOT / path)


def merged(path, options):
    cfg = Config(config(path).to_dict())
    if options:
        words = common_parser('').parse_args([str(path), '--cfg-options', *options])
        cfg.merge_from_dict(words.cfg_options)
    return cfg


def linked(cell):
    match = _LINK.fullmatch(cell)
    return match and match[1]


def test_rows_are_complete_and_name_files_that_exist():
    assert len(ROWS) > 200 and len({row[0] for row in ROWS}) == len(ROWS)
    for label, before, transfer, _, number in ROWS:
        assert _NUMBER.fullmatch(number), label
        assert linked(transfer) and (ROOT / linked(transfer)).is_file(), label
        assert before == 'none' or (ROOT / linked(before)).is_file(), label


def test_options_change_what_is_there():
    """A misspelt option would be merged as a new key, and change nothing."""
    for options, path in {(tuple(row[3]), linked(row[2])) for row in ROWS if row[3]}:
        known, cfg = config(path), merged(path, list(options))
        for word in options:
            *parents, key = word.split('=')[0].split('.')
            place = known
            for name in parents:
                place = place[name]
            assert key in place or key in BACKBONE_DEFAULTS, (path, word)
        assert cfg.to_dict() != known.to_dict(), path


# Keywords of backbones that recipes leave at their default.
BACKBONE_DEFAULTS = ('layer_scale_init_value', 'pos_embed', 'pos_resize', 'final_norm')
# What decides whether an encoder fits, beside the sizes.
FEATURES = (
    *('type', 'arch', 'patch_size', 'in_channels', 'pos_embed', 'rel_pos', 'with_cls_token'),
    *('final_norm', 'out_type', 'layer_scale_init_value', 'window_size', 'masked', 'pool_norm'),
)


def pairs():
    """One row for every different pair of backbones."""
    found = {}
    for label, before, transfer, options, _ in ROWS:
        if before != 'none':
            made = config(linked(before)).model
            taken = merged(linked(transfer), options).model.backbone
            key = str([[cfg.get(name) for name in FEATURES] for cfg in (made.backbone, taken)])
            found.setdefault(key, (label, linked(before), linked(transfer), options))
    return list(found.values())


def small(settings):
    """The same backbone with two narrow blocks, whose heads are those of the recipe."""
    settings = dict(settings, pretrained=None, init_cfg=None)
    heads = resolve_arch(settings['arch'])['num_heads']
    settings['arch'] = dict(
        embed_dims=4 * heads, num_layers=2, num_heads=heads, feedforward_channels=8
    )
    for key, value in dict(out_indices=-1, global_blocks=(1,)).items():
        if settings.get(key):
            settings[key] = value
    settings['frozen_stages'] = min(settings.get('frozen_stages', -1), 2)
    return settings


def build(settings):
    with DefaultScope.overwrite_default_scope('mmpretrain'):
        return MODELS.build(small(settings))


@pytest.fixture(scope='module')
def encoder_file(tmp_path_factory):
    """Writes what a pre-training leaves; learnt positions are no sin-cos table."""
    folder, made = tmp_path_factory.mktemp('encoders'), {}

    def write(path):
        if path not in made:
            backbone = build(config(path).model.backbone)
            if config(path).model.backbone.get('pos_embed') == 'learned':
                torch.nn.init.normal_(backbone.pos_embed)
            made[path] = folder / f'{len(made)}.pth'
            torch.save(dict(state_dict=backbone.state_dict()), made[path])
        return made[path]

    return write


def test_every_encoder_fits_its_transfer_model(encoder_file):
    """Nothing of the encoder is lost, and what is new are parts that recipes add."""
    problems = []
    for label, before, transfer, options in pairs():
        made, taken = config(before).model.backbone, merged(transfer, options).model.backbone
        if resolve_arch(made.arch) != resolve_arch(taken.arch):
            problems.append(f'{label}: {made.arch} is not {taken.arch}')
            continue
        try:
            report = load_pretrained(build(taken), encoder_file(before), logger='silent')
        except ValueError as error:
            problems.append(f'{label}: {error}')
            continue
        if report.missing or report.unexpected:
            problems.append(f'{label}: {report}')
    assert not problems, '\n'.join(problems)

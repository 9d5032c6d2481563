"""The rows as they are: every config that a row names resolves, and every demo config has a row."""

from pathlib import Path

import pytest
from helpers import configs

from mmmim.living_table.configs import (
    Length,
    Unavailable,
    backbone_words,
    find_config,
    is_classifier,
)
from mmmim.living_table.configs import load_config as load
from mmmim.living_table.methods import (
    ALL_IMAGES,
    FEW,
    GROUPS,
    METHODS,
    PREREQUISITES,
    REFERENCE_COST,
    SCRATCH,
    TARGETS,
)
from mmmim.living_table.options import TRAINED

ROOT = Path(__file__).resolve().parents[2]
WITH_CONFIG = [method for method in METHODS if method.config]
# Without a row: the same method without the stronger augmentation.
NO_ROW = {'mae-few'}


def test_names_are_unique_and_what_the_statements_ask_for_is_there():
    names = [method.name for method in METHODS]
    assert len(set(names)) == len(names) == len({method.title for method in METHODS})
    assert {*TARGETS, *FEW.values(), ALL_IMAGES, SCRATCH, REFERENCE_COST} <= set(names)
    assert {method.group for method in METHODS} <= set(GROUPS)
    known = {item.name for item in PREREQUISITES}
    assert {need for method in METHODS for need in method.needs} <= known
    by_name = {method.name: method for method in METHODS}
    assert {name: by_name[name].config for name in TARGETS} == {
        'robust-mae-none': 'robust-mae-raw',
        'robust-mae-none-pp': 'robust-mae-raw-perpatch',
        'robust-mae-rgb': 'robust-mae-pixel',
        'robust-mae': 'robust-mae-globalrgb-perpatch',
        'robust-mae-patch': 'robust-mae-globalpatch',
        'robust-mae-patch-pp': 'robust-mae-globalpatch-perpatch',
    }


def test_every_demo_pretraining_has_a_row():
    used = {method.config for method in WITH_CONFIG} | NO_ROW
    used |= {item.config for item in PREREQUISITES} | {
        Path(t.config).name for t in TRAINED.values()
    }
    for path in sorted((ROOT / 'configs/demo').glob('*_scenes-*px.py')):
        start = path.name.split('_')[0]
        if configs.kind(configs.load(path)) == 'classification' and start != 'deit':
            continue  # transfers an encoder
        assert start in used or path.name in used, f'{path.name} has no row in methods.py'


@pytest.fixture(scope='module')
def transfers():
    return {name: load(ROOT / task.config) for name, task in TRAINED.items()}


@pytest.mark.parametrize('method', WITH_CONFIG, ids=lambda method: method.name)
def test_row_resolves(method, transfers):
    try:
        path = find_config(ROOT, method.config)
    except Unavailable as reason:  # the table shows the row as missing
        pytest.skip(str(reason))
    cfg = load(path, method.options)
    Length(cfg, 10_000, 150_000).overrides(cfg)
    backbone = cfg.model.backbone
    assert method.feature == 'mean' or backbone.get('with_cls_token', True)
    text = str(cfg.to_dict())
    for item in PREREQUISITES:  # what it reads, and nothing else, is made for it
        assert (item.made in text) == (item.name in method.needs)
    if not is_classifier(cfg):
        for transfer in transfers.values():
            backbone_words(backbone, transfer.model.backbone)
    if method.images:
        assert 'subset_seed' in load(path, ['train_dataloader.dataset.subset_seed=1']).pretty_text


def test_targets_differ_in_nothing_but_the_normalisation():
    rows = [method for method in METHODS if method.name in TARGETS]
    cfgs = [load(find_config(ROOT, method.config)) for method in rows]
    kinds = []
    for cfg in cfgs:
        target = cfg.model.target
        kinds.append((target.pop('normalize'), target.pop('per_patch')))
        target.pop('stats', None)
        assert cfg.to_dict() == cfgs[0].to_dict() and cfg.model.neck.drop_edge == 0.3
    assert kinds == [(kind, after) for kind in ('none', 'rgb', 'patch') for after in (False, True)]

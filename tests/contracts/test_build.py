"""Every config builds its model at full size, wherever one stands."""

import subprocess
import sys

import pytest
from helpers import configs, data, tiny

from mmmim.models.detection.requirements import detection_problem

PATHS = configs.config_paths()
GROUPS = configs.distinct_models()
BASES = {
    'pretraining': ('mmpretrain.models.selfsup', 'BaseSelfSupervisor'),
    'classification': ('mmpretrain.models', 'ImageClassifier'),
    'detection': ('mmdet.models', 'BaseDetector'),
    'segmentation': ('mmseg.models', 'EncoderDecoder'),
}


def needs_ops(kind):
    if kind == 'detection' and detection_problem():
        pytest.skip(detection_problem())
    if kind == 'segmentation':
        pytest.importorskip('mmseg.models')  # OpenMMLab's needs compiled ops


@pytest.mark.parametrize('paths', GROUPS, ids=configs.group_id)
def test_full_size_builds_from_anywhere(paths, tmp_path, monkeypatch):
    """One config of all that resolve to the same model."""
    cfg = configs.load(paths[0])
    kind = configs.kind(cfg)
    needs_ops(kind)
    monkeypatch.chdir(tmp_path)
    model = data.full_model(cfg, tmp_path)
    module, base = BASES[kind]
    assert isinstance(model, getattr(__import__(module, fromlist=[base]), base))
    assert all(parameter.is_meta for parameter in model.parameters())
    assert sum(parameter.numel() for parameter in model.parameters()) > 50_000


def test_every_config_is_built():
    """Each parses, whatever it shares its model with; its names and keys are lint's matter."""
    assert sorted(path for paths in GROUPS for path in paths) == PATHS


def test_every_config_has_a_tiny_copy():
    covered = [
        name for kind in configs.KINDS for entry in tiny.tinies(kind) for name in entry.names
    ]
    assert sorted(covered) == sorted(configs.name(path) for path in PATHS)
    assert {configs.kind(configs.load(path)) for path in PATHS} == set(configs.KINDS)


RESOLVE = """
import sys
import torch
from mmengine import Config
from mmengine.registry import MODELS, DefaultScope

assert 'mmmim' not in sys.modules
for path in sys.argv[1:]:
    cfg = Config.fromfile(path)
    with DefaultScope.overwrite_default_scope(cfg.default_scope), torch.device('meta'):
        backbone = MODELS.build(cfg.model.backbone)
    assert type(backbone).__module__.startswith('mmmim.'), path
"""


def test_types_resolve_in_a_process_that_never_imported_us(tmp_path):
    """From the scope of each framework, and from another directory."""
    kinds = [kind for kind in configs.KINDS if kind != 'detection' or not detection_problem()]
    paths = [str(configs.paths_of(kind)[0]) for kind in reversed(kinds)]
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', RESOLVE, *paths],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr

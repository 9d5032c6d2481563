"""Figures that train what they draw: which trainings, and what is written beside the paper."""

import json
import types

import pytest
from helpers import configs, tools
from mmengine.config import Config


@pytest.fixture
def tool(monkeypatch, tmp_path):
    """The tool with a list of its calls in place of trainings; psnr.py has left its numbers."""
    module = tools.load('analysis/scenes_figures.py')
    module_calls = []
    (tmp_path / 'scenes').mkdir()
    counts = dict(settings=dict(counts=dict(unlabeled=10)))
    (tmp_path / 'scenes/manifest.json').write_text(json.dumps(counts))
    monkeypatch.setattr(module, 'SCENES', tmp_path / 'scenes')

    def run(command):
        module_calls.append(command)
        if command[3].endswith('psnr.py'):
            rows = [dict(name=t.name, mean=20.0, se=0.1) for t in module.FIGURES['psnr']]
            out = tmp_path / 'out/psnr'
            out.mkdir(parents=True)
            (out / 'psnr.json').write_text(json.dumps(dict(data=dict(rows=rows))))
        return types.SimpleNamespace(returncode=0)

    monkeypatch.setattr(module.subprocess, 'run', run)
    return module, module_calls


def test_psnr_of_four_trainings_beside_the_paper(tool, tmp_path, capsys):
    module, calls = tool
    module.main(['psnr', '--epochs', '2', '--out', str(tmp_path / 'out')])
    assert len(calls) == 5
    places = [command[command.index('--work-dir') + 1] for command in calls[:4]]
    assert len(set(places)) == 4
    named = [word.split('=')[-1] for word in calls[4] if str(tmp_path / 'out') in word][:4]
    assert named == places
    text = (tmp_path / 'out/psnr/psnr.md').read_text()
    assert text in capsys.readouterr().out
    assert '| R-MAE | 20.00 ± 0.10 | 23.7 |' in text and 'epochs: 2' in text


def test_trainings_differ_as_the_figures_say(tool):
    module, _ = tool
    built = {}
    for figure in module.FIGURES.values():
        for training in figure:
            path = configs.ROOT / module.CONFIG.format(training.demo)
            assert path.is_file()
            cfg = Config.fromfile(path)
            cfg.merge_from_dict(dict(option.split('=') for option in training.options))
            built[training.name] = cfg.model
    assert built['R-MAE'].second == 'complement'
    assert built['R-MAE, T2 independent'].second == 'independent'
    assert built['R-MAE, T2 identity'].second == 'identity'
    assert built['aligned'].target.per_patch == 'False' == built['not aligned'].target.per_patch
    assert built['not aligned'].align_weight == '0' != built['aligned'].get('align_weight')


def test_names_are_read_back(tool):
    from mmmim.analysis import command

    module, _ = tool
    words = [f'{training.name}=work_dirs/x' for training in module.FIGURES['psnr']]
    found = command.parse_models(command.analysis_parser(''), words)
    assert [source.name for source in found] == [t.name for t in module.FIGURES['psnr']]


def test_without_scenes_it_says_how_to_make_them(tool, tmp_path, monkeypatch):
    module, calls = tool
    monkeypatch.setattr(module, 'SCENES', tmp_path / 'absent')
    with pytest.raises(SystemExit, match='make_scenes.py first'):
        module.main(['regressor'])
    assert not calls

"""Decisions of the set-up: which torch stays, what a compiled mmcv depends on, what to advise."""

import importlib.util
from pathlib import Path

import pytest

MISC = Path(__file__).resolve().parents[2] / 'tools' / 'misc'


def load(name):
    spec = importlib.util.spec_from_file_location(name, MISC / f'{name}.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


probe = load('setup_probe')
remedies = load('setup_remedies')


@pytest.mark.parametrize(
    ('torch', 'torchvision', 'wanted', 'failure', 'keep', 'why'),
    [
        (None, None, None, None, False, 'not installed'),
        ('2.11.0', '0.26.0', '2.11.0', None, True, 'kept'),
        ('2.4.0', '0.19.0', '2.4.0', None, True, 'kept'),
        ('2.13.0+cpu', '0.28.0+cpu', '2.13.0', None, True, 'kept'),
        ('2.13.0+cpu', None, None, None, False, 'no torchvision'),
        ('2.10.0', '0.26.0', '2.11.0', None, False, 'built for torch 2.11.0'),
        ('2.9.1', '0.24.0', '2.9.0', None, False, 'built for torch 2.9.0'),
        ('2.3.1', '0.18.1', '2.3.1', None, False, '>=2.4,<2.14'),
        ('2.14.0', '0.29.0', '2.14.0', None, False, '>=2.4,<2.14'),
        ('2.14.0a0', '0.29.0', '2.14.0a0', None, False, '>=2.4,<2.14'),
        ('2.11.0', '0.26.0', None, None, True, 'kept'),
        ('2.11.0', '0.26.0', '2.11.0', 'OSError: libcudart.so.13', False, 'libcudart'),
    ],
)
def test_an_installed_torch_stays_only_if_it_works(torch, torchvision, wanted, failure, keep, why):
    decision, reason = probe.decide_torch(torch, torchvision, wanted, failure)
    assert decision is keep
    assert why in reason


def test_torchvision_names_the_torch_it_was_built_for():
    assert probe.torch_wanted_by_torchvision() == probe.installed('torch').split('+')[0]


def test_a_kept_torch_replaces_its_pins_and_nothing_else():
    text = (
        '# torch\ntorch==2.11.0; python_version<"3.11"\ntorch==2.11.0\ntorchvision==0.26.0\n'
        'torchmetrics==1.9.0\n'
    )
    changed = probe.with_versions(text, {'torch': '2.10.0+cu128', 'torchvision': '0.25.0+cu128'})
    assert changed.split('\n') == [
        '# torch',
        'torchmetrics==1.9.0',
        'torch==2.10.0+cu128',
        'torchvision==0.25.0+cu128',
        '',
    ]


def test_every_build_setting_changes_the_folder_of_the_wheel(monkeypatch):
    plain = dict(mmcv='2.3.6', environ={}, torch_version='2.11.0+cu130', cuda='13.0', gpus=[])
    changes = [
        {'mmcv': '2.3.7'},
        {'torch_version': '2.11.0+cpu'},
        {'cuda': None},
        {'gpus': ['9.0']},
        {'gpus': ['8.0']},
        {'environ': {'FORCE_CUDA': '1'}},
        {'environ': {'TORCH_CUDA_ARCH_LIST': '8.0'}},
        {'environ': {'TORCH_CUDA_ARCH_LIST': '8.0;9.0'}},
    ]
    keys = [
        probe.wheel_key(probe.build_settings(**{**plain, **change})) for change in [{}] + changes
    ]
    monkeypatch.setattr(probe.sys.implementation, 'cache_tag', 'cpython-399')
    keys.append(probe.wheel_key(probe.build_settings(**plain)))
    assert len(set(keys)) == len(keys)
    assert all('/' not in key and ' ' not in key for key in keys)


def test_the_folder_of_the_wheel_ignores_what_does_not_matter():
    one = probe.build_settings('2.3.6', {'MAX_JOBS': '2'}, '2.11.0', None, ['9.0', '8.0'])
    two = probe.build_settings('2.3.6', {'HOME': '/b'}, '2.11.0', None, ['8.0', '9.0', '9.0'])
    assert probe.wheel_key(one) == probe.wheel_key(two)


def test_unmet_pins_are_those_of_installed_distributions():
    have = {'numpy': '1.26.4', 'torch': '2.11.0+cpu'}
    text = 'numpy==2.2.6\ntorch==2.11.0+cpu\nabsent==1.0\nscipy==1.0; python_version<"3"\n# x==1\n'
    assert probe.unmet_pins(text, have.get) == ['numpy 1.26.4 instead of 2.2.6']


def test_the_other_family_is_recognised(monkeypatch, capsys):
    versions = {'mmcv': '2.1.0', 'onedl-mmcv': '2.3.6'}
    monkeypatch.setattr(probe, 'installed', versions.get)
    assert probe.command_family(None) == 1
    assert capsys.readouterr().out.strip() == 'mmcv 2.1.0'
    del versions['mmcv']
    assert probe.command_family(None) == 0


def test_ops_that_suppress_the_wrong_box_are_refused():
    import torch
    from torchvision.ops import nms

    def honest(boxes, scores, threshold):
        kept = nms(boxes, scores, threshold)
        return boxes[kept], kept

    probe.run_ops(torch, honest, 'cpu')
    with pytest.raises(RuntimeError, match=r'\[0, 1, 2\], not \[0, 2\]'):
        probe.run_ops(torch, lambda boxes, *rest: (boxes, torch.arange(3)), 'cpu')


NO_NETWORK = """NewConnectionError('Failed to establish a new connection: [Errno -3]')
ERROR: No matching distribution found for torch==2.11.0"""


@pytest.mark.parametrize(
    ('printed', 'remedy'),
    [
        ('ERROR: Could not install packages: [Errno 28] No space left on device', 'disk is full'),
        (NO_NETWORK, 'connect to the network'),
        ('ERROR: No matching distribution found for torch==2.11.0', 'no torch==2.11.0'),
        ('roi_align.cpp:1:10: fatal error: Python.h: No such file or directory', 'python3-dev'),
        (
            '/bin/sh: 1: c++: not found\nninja: build stopped: subcommand failed.',
            'apt-get install g++',
        ),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'c++'", 'apt-get install g++'),
        ('c++: fatal error: Killed signal terminated program cc1plus', 'MAX_JOBS=1'),
        ('OSError: CUDA_HOME environment variable is not set.', 'MMMIM_CPU_OPS=1'),
        ('The detected CUDA version (12.4) mismatches the version that was used', 'CUDA_HOME'),
        ('ImportError: libGL.so.1: cannot open shared object file', 'libgl1'),
        ('ERROR: ResolutionImpossible: for help visit', 'deactivate'),
        ('SSLError(SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED]"))', 'PIP_CERT'),
        ("PermissionError: [Errno 13] Permission denied: '/usr/lib/python3'", 'not writable'),
    ],
)
def test_a_failure_is_answered_with_what_to_do(printed, remedy):
    assert remedy in remedies.explain(f'Collecting x\n{printed}\n')


def test_an_unknown_failure_names_the_log(tmp_path, capsys):
    log = tmp_path / 'step.log'
    log.write_text('something else')
    remedies.main(log)
    assert str(log) in capsys.readouterr().out

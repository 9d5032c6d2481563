import json
import math
from types import SimpleNamespace

import pytest

from mmmim.quickstart import results
from mmmim.quickstart.recipes import SIDES, TASKS


def fake_markers(tasks, seeds, lrs, val, tune=None):
    """Markers in which every metric of a run is ``val(side, lr, seed)`` per cent."""
    markers = {}
    for task in tasks:
        for side in SIDES:
            for lr in lrs:
                for seed in seeds:
                    split = dict(val=val(side, lr, seed))
                    if tune:
                        split['tune'] = tune(side, lr, seed)
                    keys = (task.metric_key, *task.others.values())
                    markers[results.job_name(task, side, lr, seed)] = dict(
                        result={
                            name: dict.fromkeys(keys, value / task.scale)
                            for name, value in split.items()
                        }
                    )
    return markers


def plan(seeds, full, lrs):
    return SimpleNamespace(seeds=seeds, full=full, lrs=lambda task, side: lrs)


def full_outcomes(gain=5.0):
    def val(side, lr, seed):
        return 20 + (gain if side == 'pretrained' else 0) + seed + (50 if lr == 1e-2 else 0)

    def tune(side, lr, seed):
        best = 1e-3 if side == 'pretrained' else 3e-4
        return 10.0 - abs(math.log(lr / best)) + seed

    lrs = (3e-4, 1e-3, 1e-2)
    markers = fake_markers(TASKS, (0, 1, 2), lrs, val, tune)
    return [results.outcome(task, markers, plan((0, 1, 2), True, lrs)) for task in TASKS]


def test_learning_rate_is_chosen_on_the_tune_split_for_each_side():
    for item in full_outcomes():
        assert item.lrs == dict(pretrained=1e-3, scratch=3e-4)  # 1e-2 is best on val: not looked at
        assert item.sides['pretrained'].values == (25, 26, 27)
        assert set(item.tune['scratch']) == {3e-4, 1e-3, 1e-2}


def test_draw_goes_to_the_smaller_learning_rate():
    lrs = (1e-2, 1e-3)
    markers = fake_markers(TASKS[:1], (0,), lrs, lambda *_: 1.0, lambda *_: 2.0)
    assert results.choose_lr(TASKS[0], 'scratch', markers, lrs, (0,))[0] == 1e-3


def test_gain_and_its_threshold():
    item = full_outcomes()[1]
    se = 1 / math.sqrt(3)
    assert item.gain.value == pytest.approx(5)
    assert item.gain.threshold == pytest.approx(2 * math.sqrt(2 * se**2))
    assert item.gain.separated
    assert not full_outcomes(gain=1.0)[1].gain.separated


def test_results_json_has_exactly_the_agreed_keys():
    content = json.loads(results.results_json(full_outcomes()))
    assert list(content) == ['classification', 'detection', 'segmentation']
    for entry in content.values():
        assert set(entry) == {'metric', 'pretrained', 'scratch'}
        for side in SIDES:
            assert set(entry[side]) == {'mean', 'se', 'seeds'} and len(entry[side]['seeds']) == 3
    assert content['detection']['pretrained']['mean'] == 26
    assert content['detection']['pretrained']['se'] == pytest.approx(0.5774, abs=1e-4)


def test_one_seed_has_null_standard_error():
    markers = fake_markers(TASKS, (0,), (1e-3,), lambda side, *_: 30 + 10 * (side == 'pretrained'))
    outcomes = [results.outcome(task, markers, plan((0,), False, (1e-3,))) for task in TASKS]
    content = json.loads(results.results_json(outcomes))
    assert content['segmentation']['scratch'] == dict(mean=30, se=None, seeds=[30])
    text = results.table_text(outcomes, 1)
    assert '±' not in text.split('Validation')[0] and '+10.0' in text and '> 2 SE' not in text


def test_table_fits_the_terminal():
    text = results.table_text(full_outcomes(), 3)
    assert max(map(len, text.splitlines())) < 80
    head, _, first, *_ = text.splitlines()
    assert head.index('Metric') == first.index('top-1')
    assert 'yes > 1.6' in first and '26.0 ± 0.6' in first


def test_markdown_table_has_the_same_rows():
    lines = results.table_markdown(full_outcomes(), 3).splitlines()
    assert lines[0].startswith('| Task | Metric | Pretrained |') and lines[1].count('|') == 7
    assert '| 26.0 ± 0.6 | 21.0 ± 0.6 | +5.0 | yes > 1.6 |' in lines[2]
    assert all(line.count('|') == 7 for line in lines[:9])


def test_missing_metric_is_named():
    markers = fake_markers(TASKS, (0,), (1e-3,), lambda *_: 1.0)
    markers[results.job_name(TASKS[1], 'scratch', 1e-3, 0)]['result'] = dict(val=dict(other=1))
    with pytest.raises(ValueError, match="detection-scratch.*'coco/segm_mAP'.*it has other"):
        results.outcome(TASKS[1], markers, plan((0,), False, (1e-3,)))


def test_details_hold_the_tune_grid_and_the_differences():
    content = json.loads(results.details_json(full_outcomes(), seconds=1.0))
    assert content['seconds'] == 1.0
    task = content['tasks']['classification']
    assert set(task['tune']['scratch']) == {'0.0003', '0.001', '0.01'}
    assert task['gain']['separated'] is True and task['lrs']['scratch'] == 3e-4

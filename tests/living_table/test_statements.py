"""Statements on made-up rows, each checked against the verdict that the numbers force."""

import math

import pytest

from mmmim.analysis.statistics import summarise
from mmmim.living_table import statements
from mmmim.living_table.measures import Cost, Row
from mmmim.living_table.methods import ALL_IMAGES, FEW, SCRATCH, TARGETS, Method


def row(name, group, values=None, tune=None, cpu=100.0, problem='', failed=()):
    scores = dict.fromkeys(('knn', 'lin', 'ft', 'det', 'seg'))
    scores['ft'] = None if values is None else summarise(values)
    cost = None if cpu is None else Cost(cpu, 1000, 500.0)
    tunes = {} if tune is None else dict(ft=tune)
    return Row(Method(name, name, 'c', group, ''), scores, cost, problem, failed, {}, tunes)


def around(mean, step=1.0):
    return (mean - step, mean, mean + step)  # standard error step / sqrt(3)


def search(*rows):
    return statements.mixture_search(rows, ('ft', 'lin'))


SINGLES = (row('mae', 'papers', around(50)), row('beit', 'baselines', around(40)))


def test_tune_chooses_and_val_decides():
    good = row('good', 'mixtures', around(60), tune=70)
    flashy = row('flashy', 'mixtures', around(90), tune=69)  # better on val: must not be chosen
    found = search(*SINGLES, good, flashy)
    assert (found['chosen'], found['verdict']) == ('good', 'yes')
    assert found['rivals'] == dict(mae='above', beit='above') and found['best'] == 'mae'
    assert '**yes**' in ' '.join(statements.mixture_sentences(found))


def test_one_single_method_within_two_standard_errors_says_no():
    threshold = 2 * math.sqrt(2 * (1 / 3))
    for gap, verdict in ((threshold + 0.01, 'yes'), (threshold - 0.01, 'no'), (-9, 'no')):
        found = search(*SINGLES, row('mix', 'mixtures', around(50 + gap), tune=1))
        assert found['verdict'] == verdict
    assert found['rivals'] == dict(mae='below', beit='even')


def test_missing_single_keeps_a_yes_open_but_not_a_no():
    unknown = row('cae', 'papers')
    high, low = (row('mix', 'mixtures', around(mean), tune=1) for mean in (60, 50))
    assert search(*SINGLES, unknown, high)['verdict'] == 'missing'
    assert search(*SINGLES, unknown, low)['verdict'] == 'no'
    one_seed = row('mix', 'mixtures', (60,), tune=1)
    assert search(*SINGLES, one_seed)['verdict'] == 'missing'


def test_nothing_is_chosen_before_every_mixture_was_tried_or_cannot_be():
    mix = row('mix', 'mixtures', around(60), tune=1)
    assert search(*SINGLES, mix, row('late', 'mixtures'))['chosen'] is None
    assert search(*SINGLES)['chosen'] is None
    assert search(*SINGLES, mix, row('no', 'mixtures', problem='x'))['chosen'] == 'mix'
    assert search(*SINGLES, mix, row('no', 'mixtures', failed=('a',)))['chosen'] == 'mix'
    text = ' '.join(statements.mixture_sentences(search(*SINGLES)))
    assert '**missing**' in text


@pytest.mark.parametrize('cpu, equal', [(104.0, True), (150.0, False), (None, None)])
def test_equal_cost_is_measured(cpu, equal):
    found = search(*SINGLES, row('mix', 'mixtures', around(60), tune=1, cpu=cpu))
    assert found['verdict'] == 'yes' and found['equal_cost'] is equal
    text = statements.mixture_sentences(found)[-1]
    assert {True: '**yes**', False: '**no**', None: 'missing'}[equal] in text


def target_rows(means):
    rows = [row(name, 'papers', around(mean)) for name, mean in zip(TARGETS, means)]
    return [row(SCRATCH, 'reference', around(10)), *rows]


def test_order_of_targets():
    order = statements.target_order(target_rows((10, 20, 30, 40, 50, 60)), 'ft')
    assert order['sentences'][0].startswith(
        'Do the targets separate? **yes**: Of 15 measured pairs'
    )
    assert set(order['pairs'].values()) == {'below'} and '15 differ' in order['sentences'][0]
    assert '**separated above** random' in order['sentences'][-1]
    same = statements.target_order(target_rows((10,) * 6), 'ft')['sentences']
    assert '**no**' in same[0] and len(same) == 2
    assert '**not separated from** random' in same[-1]
    part = statements.target_order(target_rows((10, 10, 10, 10, 10, 30)), 'ft')['sentences']
    assert '**in part**' in part[0] and '5 differ' in part[0] and '1 of 5 steps' in part[0]
    assert f'{list(TARGETS.values())[-1]} above {list(TARGETS.values())[0]}' in part[1]


def test_missing_targets_are_not_passed_over():
    order = statements.target_order(target_rows((10, 20, 30, 40, 50)), 'ft')
    assert (
        '**missing**' in order['sentences'][0] and '5 of 15 pairs missing' in order['sentences'][0]
    )
    assert (
        statements.target_order([], 'ft')['sentences'][0] == 'Do the targets separate? **missing**.'
    )


def test_few_images_against_all_and_scratch():
    means = dict(zip(FEW.values(), (10, 20, 40)))  # 1,000 images are missing
    rows = [row(name, 'images', around(mean)) for name, mean in means.items()]
    rows += [row(SCRATCH, 'reference', around(10)), row(ALL_IMAGES, 'images', around(40))]
    found = statements.few_images(rows, 'ft')
    assert list(found['rows'].values()) == [
        ('even', 'below'), ('above', 'below'), ('above', 'even'), ('missing', 'missing')
    ]  # fmt: skip
    assert [text.split('**')[1] for text in found['sentences']] == ['no', 'yes', 'yes', 'missing']

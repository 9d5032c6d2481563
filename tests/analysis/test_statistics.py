import statistics

import pytest

from mmmim.analysis.statistics import difference, summarise


def test_summary_agrees_with_the_standard_library():
    values = [17.3, 18.1, 16.2, 19.9]
    summary = summarise(values)
    assert summary.mean == pytest.approx(statistics.mean(values))
    assert summary.se == pytest.approx(statistics.stdev(values) / 2)
    assert summary.as_dict() == dict(mean=summary.mean, se=summary.se, seeds=values)


def test_one_run_has_no_standard_error():
    single = summarise([3])
    assert single.mean == 3 and single.se is None
    assert difference(single, summarise([1, 2])).threshold is None
    assert difference(single, summarise([1, 2])).separated is None


def test_difference_is_separated_only_above_twice_the_combined_error():
    a, b = summarise([2.0, 4.0]), summarise([0.0, 0.0])  # se 1 and 0: threshold 2
    assert difference(a, b).threshold == pytest.approx(2.0)
    assert difference(a, b).separated
    assert not difference(summarise([1.0, 3.0]), b).separated  # difference equals the threshold
    assert not difference(b, a).separated  # large, but in the wrong direction


@pytest.mark.parametrize('values', [[], [1.0, float('nan')], [float('inf')]])
def test_refuses_what_has_no_mean(values):
    with pytest.raises(ValueError, match='summarise'):
        summarise(values)

import json
import math

import numpy as np
import pytest

from mmmim.visualization.image_grid import ImageGrid
from mmmim.visualization.report import blocks, charts, record, svg


@pytest.mark.parametrize(
    'low, high', [(0, 1), (0.13, 0.97), (-3, 250), (1e-5, 4e-4), (5, 5), (0, 0)]
)
def test_ticks_are_round_and_cover_the_range(low, high):
    ticks = svg.nice_ticks(low, high)
    assert ticks[0] <= low + 1e-9 and ticks[-1] >= high - 1e-9
    assert 3 <= len(ticks) <= 8
    step = ticks[1] - ticks[0]
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - m) for m in (1, 2, 5)) < 1e-6


def test_tick_text():
    assert [svg.tick_text(v) for v in (0, 0.5, 20, 20000, 1e-4, 1.5e-3)] == [
        '0', '0.5', '20', '20k', '1e-4', '1.5e-3']  # fmt: skip


def test_thin_keeps_the_mean_and_leaves_out_what_is_not_finite():
    values = [float(v) for v in range(1000)]
    thinned = charts.thin(charts.Series('a', values, values), 100)
    assert len(thinned.x) == 100 and sum(thinned.y) / 100 == pytest.approx(499.5)
    assert charts.thin(charts.Series('a', [0, 1], [float('nan'), 2.0])).y == [2.0]


def test_curve_lies_where_its_numbers_say():
    html = charts.line_chart('c', 't', 'x', 'y', [charts.Series('a', [0, 10], [0, 1])])
    points = html.split('points="')[1].split('"')[0].split()
    (x0, y0), (x1, y1) = (map(float, point.split(',')) for point in points)
    assert (x0, y0) == (charts.LEFT, charts.HEIGHT - charts.BOTTOM)
    assert (x1, y1) == (charts.WIDTH - charts.RIGHT, charts.TOP)
    assert charts.line_chart('c', 'Loss', 'x', 'y', []).startswith('<p class="note">Loss')
    single = charts.line_chart('c', 'Loss', 'x', 'y', [charts.Series('a', [10], [0.25])])
    assert single == '<p class="note">Loss, y: a 0.25. Measured once, at 10 x.</p>'
    both = [charts.Series('a', [10], [0.25]), charts.Series('b', [20], [1])]
    assert 'a 0.25 at 10; b 1 at 20. Measured once, over x.' in charts.line_chart(
        'c', 'Loss', 'x', 'y', both
    )


def test_error_bars_span_one_standard_error_each_way():
    item = charts.Interval('a', 50.0, 10.0)
    html = charts.interval_chart(
        'c', 't', 'x', [('task', [item, charts.Interval('b', 100.0, None, 1)])]
    )
    bar = html.split('class="line solid s0"')[1]
    x1, x2 = (float(bar.split(f'{name}="')[1].split('"')[0]) for name in ('x1', 'x2'))
    unit = (charts.WIDTH - charts.RIGHT - charts.INDENT) / 100
    assert x2 - x1 == pytest.approx(20 * unit, abs=0.2)
    assert 'line solid s1' not in html and '50.0 ± 10.0' in html


def test_label_without_room_on_the_right_ends_before_the_bar():
    item = charts.Interval('a', 95.0, 5.0)
    html = charts.interval_chart('c', 't', 'x', [('task', [item])])
    start = float(html.split('class="line solid s0"')[1].split('x1="')[1].split('"')[0])
    label = html.split('class="tick value"')[1]
    assert 'text-anchor="end"' in label.split('>')[0]
    assert float(label.split('x="')[1].split('"')[0]) < start


def test_table_groups_and_escapes():
    html = blocks.table(('a', 'b'), ['group <1>', ('x', '1')], 'cap')
    assert 'group &lt;1&gt;' in html and 'colspan="2"' in html and '<td class="num">1</td>' in html


def test_wide_tables_name_every_cell_for_the_list_on_a_phone():
    html = blocks.table(('Setting', 'a&b', 'c'), [('model.p_q', 'x.Y', '')], 'cap', n_text=3)
    assert '<table class="stack">' in html and '<wbr>p_<wbr>q</th>' in html
    assert '<td data-name="a&amp;b">x.<wbr>Y</td><td data-name="c"></td>' in html


def test_small_pictures_keep_their_pixels():
    small = ImageGrid(['a'], [[np.zeros((64, 64, 3), np.uint8)]])
    large = ImageGrid(['a'], [[np.zeros((256, 256, 3), np.uint8)]])
    assert 'pixels' in blocks.picture_grid(small) and 'pixels' not in blocks.picture_grid(large)


def test_scalars_of_a_resumed_run_are_joined(tmp_path):
    def write(stamp, steps, loss, tail=''):
        folder = tmp_path / stamp / 'vis_data'
        folder.mkdir(parents=True)
        lines = [json.dumps(dict(step=step, loss=loss, lr=0.1)) for step in steps]
        lines.append(json.dumps({'step': 3, 'accuracy/top1': 5.0}))
        (folder / 'scalars.json').write_text('\n'.join(lines) + '\n' + tail)

    write('20260101_000000', (10, 20, 30), 1.0, '{"step": 4')
    write('20260101_010000', (20, 30, 40), 2.0)
    assert record.curve(record.read_scalars(tmp_path), 'loss') == (
        [10, 20, 30, 40],
        [1.0, 2.0, 2.0, 2.0],
    )
    assert record.read_scalars(tmp_path / 'none') == []


def test_versions_and_hardware_are_found():
    assert {'Python', 'mmmim', 'torch'} <= {name for name, _ in record.versions()}
    assert 'cores' in record.hardware()
    assert record.commit('/') == ''

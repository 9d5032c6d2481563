"""Position tables against the formula, value by value."""

import math

import pytest
import torch

from mmmim.models.position import fixed_table, sincos_table, sinusoid_table


def loop_table(dims, grid, num_prefix, convention):
    """Each half encodes one coordinate: sines of all frequencies, then cosines."""
    quarter = dims // 4

    def encode(position):
        angles = [position / 10000 ** (i / quarter) for i in range(quarter)]
        return [math.sin(a) for a in angles] + [math.cos(a) for a in angles]

    rows = [[0.0] * dims for _ in range(num_prefix)]
    for row in range(grid[0]):
        for column in range(grid[1]):
            first, second = (column, row) if convention == 'column_first' else (row, column)
            rows.append(encode(first) + encode(second))
    return torch.tensor([rows])


@pytest.mark.parametrize('convention', ['column_first', 'row_first'])
@pytest.mark.parametrize(('grid', 'num_prefix'), [((3, 5), 1), ((4, 4), 0), ((2, 3), 5)])
def test_table_equals_the_formula(convention, grid, num_prefix):
    table = sincos_table(16, grid, num_prefix, convention)
    expected = loop_table(16, grid, num_prefix, convention)
    torch.testing.assert_close(table, expected, rtol=0, atol=1e-7)


def test_conventions_differ_by_their_halves():
    column, row = (sincos_table(32, (7, 7), 0, c) for c in ('column_first', 'row_first'))
    assert torch.equal(torch.cat([column[..., 16:], column[..., :16]], dim=-1), row)
    assert (column - row).abs().max() > 1


def test_first_asked_for_on_the_meta_device_it_is_real():
    with torch.device('meta'):
        table = sincos_table(20, (3, 3))
    assert table.device.type == 'cpu'
    torch.testing.assert_close(table, loop_table(20, (3, 3), 0, 'column_first'))


def test_sinusoid_equals_the_formula():
    rows = [[0.0] * 6] * 2
    for cell in range(12):
        angles = [cell / 10000 ** (2 * i / 6) for i in range(3)]
        rows.append([f(angle) for angle in angles for f in (math.sin, math.cos)])
    expected = torch.tensor([rows])
    torch.testing.assert_close(sinusoid_table(6, 12, 2), expected, rtol=0, atol=1e-7)
    assert torch.equal(fixed_table('sinusoid_1d', 6, (3, 4), 2), sinusoid_table(6, 12, 2))


def test_tables_by_name():
    assert torch.equal(fixed_table('sincos', 8, (2, 3), 1), sincos_table(8, (2, 3), 1))
    row_first = sincos_table(8, (2, 3), 0, 'row_first')
    assert torch.equal(fixed_table('sincos_row_first', 8, (2, 3)), row_first)
    with pytest.raises(ValueError, match="got 'learned'"):
        fixed_table('learned', 8, (2, 3))
    with pytest.raises(ValueError, match='even width, got 7'):
        sinusoid_table(7, 4)


def test_width_and_convention_are_checked():
    with pytest.raises(ValueError, match='multiple of 4, got 18'):
        sincos_table(18, (2, 2))
    with pytest.raises(ValueError, match="got 'diagonal'"):
        sincos_table(16, (2, 2), 0, 'diagonal')

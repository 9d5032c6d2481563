"""Relative positions: the table by loops, resizing against scipy, masks by gathering."""

import pytest
import torch
from helpers.masks import cells_of, random_mask
from scipy.interpolate import CubicSpline, RectBivariateSpline

from mmmim.models.rel_pos import (
    RelativePositionBias,
    relative_bias,
    relative_index,
    relative_layout,
    resize_table,
    spline_matrix,
    table_rows,
)

GRID, HEADS = (3, 4), 2


def loop_bias(table, grid, num_prefix):
    """(heads, P + L, P + L), one pair of tokens at a time, from the table as a map of offsets."""
    gh, gw = grid
    offsets = {}
    for down in range(-gh + 1, gh):
        for right in range(-gw + 1, gw):
            offsets[down, right] = table[len(offsets)]
    cls_to_patch, patch_to_cls, cls_to_cls = table[-3:] if num_prefix else (None,) * 3
    cells = [None] * num_prefix + [(row, column) for row in range(gh) for column in range(gw)]
    bias = torch.zeros(table.shape[1], len(cells), len(cells))
    for i, query in enumerate(cells):
        for j, key in enumerate(cells):
            if query is None:
                bias[:, i, j] = cls_to_cls if key is None else cls_to_patch
            elif key is None:
                bias[:, i, j] = patch_to_cls
            else:
                bias[:, i, j] = offsets[query[0] - key[0], query[1] - key[1]]
    return bias


@pytest.mark.parametrize('num_prefix', [0, 1])
@pytest.mark.parametrize('grid', [(3, 4), (2, 2), (1, 3)])
def test_bias_equals_the_loop(grid, num_prefix):
    module = RelativePositionBias(grid, HEADS, num_prefix)
    torch.nn.init.normal_(module.relative_position_bias_table)
    bias = module(relative_layout(grid, num_prefix, 'cpu'))
    expected = loop_bias(module.relative_position_bias_table, grid, num_prefix)
    assert torch.equal(bias, expected.unsqueeze(0))


@pytest.mark.parametrize('num_prefix', [0, 1])
def test_visible_tokens_keep_their_places(num_prefix):
    table = torch.randn(table_rows(GRID, num_prefix), HEADS)
    mask = random_mask(3, GRID, 7)
    bias = relative_bias(table, GRID, relative_layout(GRID, num_prefix, 'cpu', mask))
    whole = loop_bias(table, GRID, num_prefix)
    for sample, visible in enumerate(cells_of(mask)[0]):
        kept = list(range(num_prefix)) + [cell + num_prefix for cell in visible]
        assert torch.equal(bias[sample], whole[:, kept][:, :, kept])


def test_spline_is_scipys():
    knots = torch.tensor([-4.0, -2.5, -1, 0, 1, 2.5, 4.0], dtype=torch.float64)
    places = torch.linspace(-4, 4, 33, dtype=torch.float64)
    values = torch.randn(7, 3, dtype=torch.float64)
    expected = CubicSpline(knots, values, bc_type='not-a-knot')(places)
    ours = spline_matrix(knots, places) @ values
    torch.testing.assert_close(ours, torch.from_numpy(expected), rtol=0, atol=1e-12)


def released_geometric(table, old, new):
    """BEiT's resizing of a square table, with the spline that scipy's interp2d was made of."""
    src, dst = 2 * old - 1, 2 * new - 1
    left, right = 1.01, 1.5
    while right - left > 1e-6:
        q = (left + right) / 2
        if (1 - q ** (src // 2)) / (1 - q) > dst // 2:
            right = q
        else:
            left = q
    dis, cur = [], 1
    for i in range(src // 2):
        dis.append(cur)
        cur += q ** (i + 1)
    x = [-d for d in reversed(dis)] + [0] + dis
    t = dst // 2
    at = [max(x[0], min(x[-1], v)) for v in range(-t, t + 1)]
    resized = [
        torch.from_numpy(RectBivariateSpline(x, x, head.view(src, src).numpy())(at, at)).flatten()
        for head in table[:-3].double().T
    ]
    return torch.cat([torch.stack(resized, 1).float(), table[-3:]])


@pytest.mark.parametrize(('old', 'new'), [(4, 8), (5, 7), (8, 4), (6, 14)])
def test_geometric_resizing_is_beits(old, new):
    table = torch.randn(table_rows((old, old), 1), HEADS)
    ours = resize_table(table, (old, old), (new, new))
    expected = released_geometric(table, old, new)
    torch.testing.assert_close(ours, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize('mode', ['geometric', 'bicubic'])
def test_near_offsets_survive_and_class_rows_stay(mode):
    """A bias of one offset stays at its place, on grids that are not square, too."""
    old, new = (4, 5), (6, 9)
    table = torch.randn(table_rows(old, 1), 1)
    resized = resize_table(table, old, new, mode)
    assert resized.shape == (table_rows(new, 1), 1)
    assert torch.equal(resized[-3:], table[-3:])
    before = table[:-3].view(2 * old[0] - 1, -1)
    after = resized[:-3].view(2 * new[0] - 1, -1)
    assert after[new[0] - 1, new[1] - 1] == pytest.approx(before[old[0] - 1, old[1] - 1].item())
    if mode == 'geometric':
        near = (slice(new[0] - 2, new[0] + 1), slice(new[1] - 2, new[1] + 1))
        expected = before[old[0] - 2 : old[0] + 1, old[1] - 2 : old[1] + 1]
        torch.testing.assert_close(after[near], expected, rtol=0, atol=1e-5)


def test_gradients_pass_through_resizing():
    table = torch.randn(table_rows(GRID, 1), HEADS, requires_grad=True)
    layout = relative_layout((5, 6), 1, 'cpu')
    relative_bias(table, GRID, layout, 'geometric').square().sum().backward()
    assert (table.grad != 0).all()


def test_a_first_use_in_inference_or_on_meta_does_no_harm():
    relative_index.cache_clear()
    table = torch.randn(table_rows((2, 7), 0), 1, requires_grad=True)
    with torch.inference_mode():
        relative_bias(table, (2, 7), relative_layout((2, 8), 0, 'cpu'))
    relative_bias(table, (2, 7), relative_layout((2, 8), 0, 'cpu')).sum().backward()
    assert table.grad.isfinite().all()


def test_wrong_tables_and_modes_are_refused():
    with pytest.raises(ValueError, match="got 'nearest'"):
        resize_table(torch.zeros(38, 1), GRID, (5, 5), 'nearest')
    with pytest.raises(ValueError, match='table of 12 rows.*grid of .3, 4., which has 35'):
        resize_table(torch.zeros(12, 1), GRID, (5, 5))

"""What every mask promises: for each config at its full grid, and each registered corruption."""

import inspect
import json
from math import ceil

import pytest
import torch
from helpers import configs

from mmmim.models.corruptions import Corruption
from mmmim.registry import MODELS

DRAWS = 400


def random_count(cells, mask_ratio=0.75, rounding='visible', unit=None, patch_size=16, **_):
    size = ((unit or patch_size) // patch_size) ** 2
    units = cells // size
    hidden = {'visible': units - int(units * (1 - mask_ratio)), 'masked': ceil(units * mask_ratio)}
    return hidden[rounding] * size


def block_count(cells, mask_ratio=0.5, **_):
    return round(cells * mask_ratio)


COUNTS = {'RandomMasking': random_count, 'BlockMasking': block_count}


def expected_count(cfg: dict, cells: int) -> int:
    """The number of cells each corruption should hide; a new one without a rule fails."""
    if cfg.get('num_masked') is not None:
        return cfg['num_masked']
    return COUNTS[cfg['type'].removeprefix('mmmim.')](cells, **cfg)


def parts_of(node) -> list[dict]:
    """Corruptions in a model config, also those inside others and of any name."""
    names, found = registered(), []
    if isinstance(node, dict):
        children = [part for value in node.values() for part in parts_of(value)]
        alone = str(node.get('type')).removeprefix('mmmim.') in names and not children
        return [dict(node)] if alone else children
    for item in node if isinstance(node, (list, tuple)) else ():
        found += parts_of(item)
    return found


def registered() -> dict[str, type]:
    import mmmim.models  # noqa: F401

    return {
        name: part
        for name, part in MODELS.module_dict.items()
        if isinstance(part, type) and issubclass(part, Corruption)
    }


def corruptions() -> list[str]:
    """(corruption, image size) of every config, and of every registered class, without repeats.

    Corruptions that hold others are left to their parts and to the tiny models.
    """
    found = {}
    for path in configs.paths_of('pretraining'):
        model = configs.load(path).model
        size = (model.get('backbone') or {}).get('img_size', 224)
        for part in parts_of(model.to_dict()):
            found[json.dumps([part, size])] = None
    for name, kind in registered().items():
        if all(p.default is not p.empty for p in inspect.signature(kind).parameters.values()):
            found[json.dumps([{'type': f'mmmim.{name}'}, 224])] = None
    return [key for key in found if masks(json.loads(key)[0])]


def masks(cfg: dict) -> bool:
    """Whether a corruption declares that it gives a mask."""
    return MODELS.build(dict(cfg)).masks


def views(samples, size, epoch=0, start=0):
    """Images without memory of their own: masks may not depend on them."""
    image = torch.zeros(1, 1, 1, 1).expand(samples, 3, size, size)
    index = torch.arange(start, start + samples)
    return dict(image=image, sample_index=index, epoch=torch.full_like(index, epoch))


@pytest.fixture(params=corruptions())
def drawn(request):
    """Function (samples, epoch, start, seed) -> (N, Gh, Gw) mask, with the corruption and cells."""
    cfg, size = json.loads(request.param)
    corruption = MODELS.build(dict(cfg))

    def draw(samples=DRAWS, epoch=0, start=0, seed=0):
        torch.manual_seed(seed)
        torch.rand(5)  # how many numbers were drawn before may not matter
        return corruption(views(samples, size, epoch, start)).mask

    draw.corruption, draw.cfg, draw.size = corruption, cfg, size
    return draw


def test_it_hides_exactly_the_number_of_cells_it_declares(drawn):
    mask = drawn()
    assert mask.dtype == torch.bool and mask.dim() == 3
    patch = drawn.corruption.patch_size
    assert mask.shape == (DRAWS, drawn.size // patch, drawn.size // patch)
    counts = mask.flatten(1).sum(1)
    if drawn.corruption.exact_count:
        assert counts.unique().tolist() == [expected_count(drawn.cfg, mask[0].numel())]
    else:
        assert len(counts.unique()) > 1, 'declared as inexact, but every sample has the same count'


def test_it_reaches_every_row_and_column(drawn):
    """All cells are hidden and seen, and those of the border about as often as those inside, or at
    least a quarter as often where the corruption declares that cells are not alike."""
    mask = drawn()
    share = mask.float().mean(0)  # (Gh, Gw)
    assert share.min() > 0 and share.max() < 1
    side = drawn.cfg.get('unit') or drawn.corruption.patch_size
    independent = DRAWS * share.shape[0] * drawn.corruption.patch_size / side
    error = 5 * (share.mean() * (1 - share.mean()) / independent) ** 0.5
    for line in (share[0], share[-1], share[:, 0], share[:, -1]):
        if drawn.corruption.uniform:
            assert (line.mean() - share.mean()).abs() < error
        else:
            assert line.mean() > share.mean() / 4


def test_it_is_a_function_of_seed_epoch_and_sample(drawn):
    mask = drawn(16)
    assert torch.equal(drawn(16), mask)
    assert not torch.equal(drawn(16, seed=1), mask) or drawn.cfg.get('seed') is not None
    assert not torch.equal(drawn(16, epoch=1), mask)


def test_samples_differ(drawn):
    mask = drawn(64).flatten(1)
    masked = mask[mask.any(1)]  # a ratio that is drawn may be 0
    assert len(masked) == 64 or not drawn.corruption.exact_count
    assert len(masked) > 16  # of few large units the same ones may come up twice
    assert len(torch.unique(masked, dim=0)) >= len(masked) - 2


def test_it_does_not_depend_on_the_rest_of_the_batch(drawn):
    mask = drawn(16)
    alone = torch.cat([drawn(1, start=index) for index in range(16)])
    assert torch.equal(alone, mask)
    assert torch.equal(drawn(8, start=4), mask[4:12])


def test_a_given_mask_is_taken_as_it_is(drawn):
    given = drawn(4).flip(0).clone()
    assert torch.equal(drawn.corruption(views(4, drawn.size), mask=given).mask, given)

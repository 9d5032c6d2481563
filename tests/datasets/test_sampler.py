import numpy as np
import pytest
from mmengine.registry import DATA_SAMPLERS
from torch.utils.data import DataLoader

from mmmim.datasets import EpochSampler
from mmmim.datasets.randomness import permutation, philox, sample_rng


class Numbers:
    """Data set of ``length`` numbers that remembers the seed it is told."""

    def __init__(self, length):
        self.length, self.seed = length, None

    def __len__(self):
        return self.length

    def __getitem__(self, key):
        return key[1]

    def set_seed(self, seed):
        self.seed = seed


def make(length, monkeypatch=None, rank=0, world=1, **options):
    if monkeypatch is not None:
        monkeypatch.setattr('mmmim.datasets.sampler.get_dist_info', lambda: (rank, world))
    return EpochSampler(Numbers(length), seed=options.pop('seed', 5), **options)


def steps(length, monkeypatch, world, batch, accumulate, epoch=3, **options):
    """The sets of samples of each optimizer step, over all ranks."""
    loaders = []
    for rank in range(world):
        sampler = make(length, monkeypatch, rank, world, **options)
        sampler.set_epoch(epoch)
        loader = DataLoader(sampler.dataset, batch, sampler=sampler, drop_last=True)
        loaders.append([b.tolist() for b in loader])
    rounds = [sum(micro, []) for micro in zip(*loaders, strict=True)]
    return [
        sorted(sum(rounds[i : i + accumulate], []))
        for i in range(0, len(rounds) // accumulate * accumulate, accumulate)
    ]


@pytest.mark.parametrize('round_up', [False, True])
def test_steps_are_the_same_for_every_split_of_the_effective_batch(monkeypatch, round_up):
    options = dict(multiple_of=24, round_up=round_up)
    expected = steps(250, monkeypatch, 1, 24, 1, **options)
    assert len(expected) == (11 if round_up else 10)
    for world, batch, accumulate in [
        (1, 12, 2),
        (1, 4, 6),
        (2, 12, 1),
        (2, 3, 4),
        (4, 6, 1),
        (8, 1, 3),
    ]:
        assert steps(250, monkeypatch, world, batch, accumulate, **options) == expected
    order = make(250, monkeypatch, **options)
    assert expected[2] == sorted(order.order(3)[48:72].tolist())


def test_an_epoch_is_a_permutation(monkeypatch):
    sampler = make(1000)
    first = list(sampler)
    assert sorted(index for _, index in first) == list(range(1000))
    assert {epoch for epoch, _ in first} == {0} and list(sampler) == first
    sampler.set_epoch(1)
    second = [index for _, index in sampler]
    assert sorted(second) == list(range(1000)) and second != [index for _, index in first]
    assert [index for _, index in make(1000, seed=6)] != [index for _, index in first]
    assert all(type(epoch) is int and type(index) is int for epoch, index in first)


def test_permutations_are_uniform():
    counts = np.zeros((6, 6))
    for epoch in range(3000):
        counts[np.arange(6), permutation(1, epoch, 6)] += 1
    assert np.abs(counts - 500).max() < 5 * 500**0.5


def reference_philox(key, counter):
    """First block of Philox4x64-10 (Salmon et al., SC 2011), in plain integers."""
    mask, (k0, k1), c = 2**64 - 1, key, [counter[0] + 1, *counter[1:]]  # NumPy counts before use
    for _ in range(10):
        p0, p1 = 0xD2E7470EE14C6C93 * c[0], 0xCA5A826395121157 * c[2]
        c = [(p1 >> 64) ^ c[1] ^ k0, p1 & mask, (p0 >> 64) ^ c[3] ^ k1, p0 & mask]
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & mask, (k1 + 0xBB67AE8584CAA73B) & mask
    return c


def test_random_numbers_are_defined_by_the_algorithm():
    """Hence a resume years later, under another NumPy, finds the same order."""
    assert philox(7, 2, 3).random_raw(4).tolist() == reference_philox((7, 1), (0, 0, 3, 2))
    raw = reference_philox((7, 2), (0, 0, 0, 5))
    assert permutation(7, 5, 4).tolist() == sorted(range(4), key=lambda i: raw[i])
    assert sample_rng(7, 2, 3).random() == (reference_philox((7, 1), (0, 0, 3, 2))[0] >> 11) / 2**53


def test_coordinates_do_not_overlap():
    draws = {
        tuple(philox(*key).random_raw(4).tolist())
        for key in [
            (0, 0, 0),
            (0, 0, 1),
            (0, 1, 0),
            (1, 0, 0),
            (0, 0, 0, 2),
            (-1, 0, 0),
            (2**70, 5, 0),
        ]
    }
    assert len(draws) == 7
    assert sample_rng(1, 2, 3).random() == sample_rng(1, 2, 3).random()


def test_drop_last_and_round_up(monkeypatch):
    assert [i for _, i in make(3, round_up=True, multiple_of=8, shuffle=False)] == [
        0,
        1,
        2,
        0,
        1,
        2,
        0,
        1,
    ]
    for rank in range(4):
        assert len(make(10, monkeypatch, rank, 4)) == len(list(make(10, monkeypatch, rank, 4))) == 2
        assert len(list(make(10, monkeypatch, rank, 4, round_up=True))) == 3


@pytest.mark.parametrize('world', [1, 2])
def test_resume_in_the_middle(monkeypatch, world):
    for rank in range(world):
        whole = make(97, monkeypatch, rank, world, multiple_of=8)
        whole.set_epoch(4)
        expected = list(whole)
        resumed = make(97, monkeypatch, rank, world, multiple_of=8, seed=99)
        resumed.load_state_dict(whole.state_dict(), position=40)
        assert len(resumed) == len(whole)
        assert list(resumed) == expected[40 // world :]
        assert list(resumed) == expected  # the next pass is whole again
        assert resumed.dataset.seed == 5


def test_resume_on_another_number_of_processes(monkeypatch):
    before = make(96, monkeypatch, 0, 1, multiple_of=16)
    order = before.order(0)
    state = before.state_dict()
    rest = []
    for rank in range(4):
        sampler = make(96, monkeypatch, rank, 4, multiple_of=16)
        sampler.load_state_dict(state, position=32)
        rest.append([index for _, index in sampler])
    assert np.stack(rest, axis=1).reshape(-1).tolist() == order[32:].tolist()


def test_positions_that_make_no_sense(monkeypatch):
    sampler = make(96, monkeypatch, 0, 4)
    for position in (-4, 100, 6):
        with pytest.raises(ValueError, match=f'position {position} must be a multiple of 4'):
            sampler.set_position(position)
    with pytest.raises(ValueError, match='the data or the effective batch has changed'):
        make(100, monkeypatch, 0, 4).load_state_dict(sampler.state_dict())


def test_options_that_make_no_sense(monkeypatch):
    for multiple_of in (6, 0, -4):
        with pytest.raises(ValueError, match='positive multiple of the 4 processes'):
            make(100, monkeypatch, 0, 4, multiple_of=multiple_of)
    with pytest.raises(ValueError, match='10 samples do not fill one round of 16'):
        make(10, multiple_of=16)


def test_built_by_mmengine_with_the_seed_of_the_run():
    dataset = Numbers(10)
    config = dict(type='mmmim.EpochSampler', shuffle=False)
    sampler = DATA_SAMPLERS.build(config, default_args=dict(dataset=dataset, seed=42))
    assert [index for _, index in sampler] == list(range(10)) and dataset.seed == 42
    without = DATA_SAMPLERS.build(config, default_args=dict(dataset=dataset, seed=None))
    assert without.seed == dataset.seed

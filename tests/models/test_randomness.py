"""Counter-based numbers against plain integer arithmetic."""

import pytest
import torch

from mmmim.models.randomness import counter_bits, counter_uniform, mix, run_seed

WORD = (1 << 64) - 1
GOLDEN = 0x9E3779B97F4A7C15


def mix_int(x):
    """The finaliser of SplitMix64 on unsigned Python integers."""
    x &= WORD
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9 & WORD
    x = (x ^ (x >> 27)) * 0x94D049BB133111EB & WORD
    return x ^ (x >> 31)


def signed(x):
    return x - (1 << 64) if x >> 63 else x


def bits_int(seed, epoch, sample, count, stream=0):
    key = mix_int(seed * GOLDEN + stream)
    key = mix_int(key + epoch * GOLDEN)
    key = mix_int(key + sample * GOLDEN)
    return [mix_int(key + step * GOLDEN) for step in range(1, count + 1)]


def test_the_hash_is_splitmix64():
    """Its first output for the seed 0 is published with the reference implementation."""
    assert mix_int(GOLDEN) == 0xE220A8397B1DCDAF
    values = [0, 1, -1, 2**62, -(2**63), 12345678901234567, signed(GOLDEN)]
    assert mix(torch.tensor(values)).tolist() == [signed(mix_int(value)) for value in values]


def test_bits_equal_integer_arithmetic():
    epoch, sample = torch.tensor([0, 3, 3]), torch.tensor([7, 7, 2**40])
    bits = counter_bits(11, epoch, sample, 5, stream=2)
    expected = [bits_int(11, e, s, 5, 2) for e, s in zip(epoch.tolist(), sample.tolist())]
    assert bits.tolist() == [[signed(value) for value in row] for row in expected]


def test_uniform_takes_the_upper_bits():
    uniform = counter_uniform(1, 0, torch.arange(3), 4)
    expected = [[(b >> 40) / 2**24 for b in bits_int(1, 0, s, 4)] for s in range(3)]
    assert uniform.tolist() == expected


def test_uniform_is_uniform():
    values = counter_uniform(0, 0, torch.arange(200), 500).flatten()
    assert 0 <= values.min() and values.max() < 1
    histogram = values.histc(20, 0, 1)
    expected = len(values) / 20
    assert ((histogram - expected) ** 2 / expected).sum() < 45  # chi-square, 19 degrees, p < 0.001


def test_neighbours_are_unrelated():
    """Correlation of neighbouring samples, epochs, seeds, streams and counters."""
    sample = torch.arange(400)
    base = counter_uniform(0, 0, sample, 50)
    others = [
        counter_uniform(0, 0, sample + 1, 50),
        counter_uniform(0, 1, sample, 50),
        counter_uniform(1, 0, sample, 50),
        counter_uniform(0, 0, sample, 50, stream=1),
        base.roll(1, 1),
    ]
    for other in others:
        correlation = torch.corrcoef(torch.stack([base.flatten(), other.flatten()]))[0, 1]
        assert correlation.abs() < 5 / (400 * 50) ** 0.5


def test_the_seed_of_a_part_wins_over_that_of_the_run():
    torch.manual_seed(5)
    torch.rand(3)
    assert run_seed(None) == 5
    assert run_seed(0) == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason='no CUDA device')
def test_the_device_does_not_matter():
    sample = torch.arange(100)
    assert torch.equal(counter_bits(0, 0, sample.cuda(), 50).cpu(), counter_bits(0, 0, sample, 50))

"""Counter-based random numbers: functions of (seed, epoch, sample index), the same on every device.

torch's generators depend on how many numbers were drawn before, hence on the number of processes
and on where a run was resumed. A counter does not: each number is a hash of its coordinates. The
hash is the finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014), in wrapping int64
arithmetic.
"""

import math

import torch
from torch import Tensor

_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
_MIX1 = 0xBF58476D1CE4E5B9 - (1 << 64)
_MIX2 = 0x94D049BB133111EB - (1 << 64)


def _shift_right(x: Tensor, bits: int) -> Tensor:
    """Logical right shift of int64 (torch's own is arithmetic)."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def mix(x: Tensor) -> Tensor:
    """A bijective hash of int64 values; neighbouring inputs give unrelated outputs."""
    x = (x ^ _shift_right(x, 30)) * _MIX1
    x = (x ^ _shift_right(x, 27)) * _MIX2
    return x ^ _shift_right(x, 31)


def _as_column(value, device) -> Tensor:
    return torch.as_tensor(value, dtype=torch.int64, device=device).reshape(-1)


def counter_bits(
    seed: int, epoch, sample_index, count: int, stream: int = 0, device=None
) -> Tensor:
    """Random 64-bit integers.

    Args:
        seed: Seed of the run.
        epoch: int or (N,) int64.
        sample_index: int or (N,) int64.
        count: Numbers per sample.
        stream: Separates independent uses of the same (seed, epoch, sample index).
        device: Where to compute; by default that of ``sample_index``.

    Returns:
        (N, count) int64, uniform over all values.
    """
    device = device or getattr(sample_index, 'device', None)
    key = mix(_as_column(seed, device) * _GOLDEN + stream)
    key = mix(key + _as_column(epoch, device) * _GOLDEN)
    key = mix(key + _as_column(sample_index, device) * _GOLDEN)
    steps = torch.arange(1, count + 1, device=key.device) * _GOLDEN
    return mix(key.unsqueeze(1) + steps)


def counter_uniform(
    seed: int, epoch, sample_index, count: int, stream: int = 0, device=None
) -> Tensor:
    """As :func:`counter_bits`, but (N, count) float32 in [0, 1)."""
    bits = counter_bits(seed, epoch, sample_index, count, stream, device)
    return _shift_right(bits, 40).to(torch.float32) * 2.0**-24


def counter_normal(
    seed: int, epoch, sample_index, count: int, stream: int = 0, device=None
) -> Tensor:
    """As :func:`counter_bits`, but (N, count) float32, standard normal (Box and Muller, 1958)."""
    half = -(-count // 2)
    first, second = counter_uniform(seed, epoch, sample_index, 2 * half, stream, device).chunk(2, 1)
    radius = (-2 * torch.log1p(-first)).sqrt()  # 1 - u lies in (0, 1]
    angle = 2 * math.pi * second
    return torch.cat([radius * angle.cos(), radius * angle.sin()], dim=1)[:, :count]


def run_seed(seed: int | None) -> int:
    """The seed of a part: its own, or that of the run (mmengine seeds torch alike on all ranks)."""
    return torch.initial_seed() % (1 << 63) if seed is None else seed


def keep_on_host(moved: Tensor, original: Tensor) -> Tensor:
    """Note on a tensor that was moved to a device where its values lie on the host."""
    if moved is not original:
        moved._mmmim_host = (moved._version, original)
    return moved


def on_host(values) -> Tensor:
    """Values on the CPU, without waiting for the device where their origin is noted."""
    version, original = getattr(values, '_mmmim_host', (None, None))
    if original is not None and version == values._version:
        return original
    return torch.as_tensor(values).cpu()

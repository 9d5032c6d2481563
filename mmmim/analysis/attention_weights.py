"""The softmaxed attention of one block, which training never holds: its kernels are fused."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mmmim.models.attention import attend
from mmmim.models.beit_block import QVAttention
from mmmim.models.grid_attention import GridAttention, unpartition
from mmmim.models.heads.attentive import AttentivePool
from mmmim.models.transformer import SelfAttention

from .blocks import blocks_of, run


def _softmax(q: Tensor, k: Tensor, bias: Tensor | None = None) -> Tensor:
    """(N, heads, Lq, d), (N, heads, Lk, d) -> (N, heads, Lq, Lk) float32, rows sum to 1."""
    scores = q.float() @ k.float().transpose(-2, -1) * q.shape[-1] ** -0.5
    return (scores if bias is None else scores + bias.float()).softmax(dim=-1)


class _Watched:
    """Stands for a SelfAttention and keeps the weights with which its values are mixed."""

    def __init__(self, attention: SelfAttention):
        self.attention, self.weights = attention, None

    def __getattr__(self, name):
        return getattr(self.attention, name)

    def mix(self, x, mixing=attend):
        def watching(q, k, v, **options):
            # mixing the rows of the identity gives the weights, whatever terms the scores have
            identity = torch.eye(k.shape[-2], dtype=v.dtype, device=v.device)
            self.weights = mixing(q, k, identity.expand(*k.shape[:2], -1, -1))
            return mixing(q, k, v, **options)

        return self.attention.mix(x, watching)


def _plain(
    attention: SelfAttention, x: Tensor, around: GridAttention | None = None, last=None
) -> Tensor:
    """Of all tokens, also where a decoder asks for those of some (``last``) alone."""
    watched = _Watched(attention)
    if around is None:
        watched.mix(x)
        return watched.weights
    around(watched, x)
    if not around.side:
        return watched.weights
    return _windows_to_grid(watched.weights, around.grid, around.side)


def _windows_to_grid(weights: Tensor, grid: tuple[int, int], side: int) -> Tensor:
    """Weights in windows (N * windows, heads, T, T) among all cells: (N, heads, L, L).

    Cells of other windows have weight 0; what went to padding is left out.
    """
    rows, columns = (-(-cells // side) for cells in grid)
    windows, size = rows * columns, side * side
    n, heads = len(weights) // windows, weights.shape[1]
    blocks = weights.view(n, windows, heads, size, size).transpose(1, 2)  # (N, heads, W, T, T)
    whole = weights.new_zeros(n, heads, windows, size, windows, size)
    place = torch.arange(windows, device=weights.device)
    whole[:, :, place, :, place] = blocks.movedim(2, 0)
    whole = whole.reshape(n * heads, windows * size, windows * size)
    for _ in range(2):  # queries, then keys
        whole = unpartition(whole.reshape(n * heads * windows, size, -1), grid, side)
        whole = whole.transpose(1, 2)
    return whole.unflatten(0, (n, heads))


def _qv(attention: QVAttention, x: Tensor, bias: Tensor | None = None) -> Tensor:
    joint = torch.cat([attention.q_bias, torch.zeros_like(attention.q_bias)])
    projected = F.linear(x, attention.qkv.weight[: 2 * x.shape[-1]], joint)
    q, k = projected.unflatten(-1, (2, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
    return _softmax(q, k, bias)


@torch.no_grad()
def attention_weights(backbone: nn.Module, images: Tensor, block: int) -> Tensor:
    """Softmaxed attention of one block among all tokens of whole images.

    Queries and keys are computed again from what enters the block's attention, with all its terms:
    relative positions, windows.

    Args:
        backbone: MaskedViT or MaskedBEiT.
        images: (N, C, H, W) float, normalised, on its device.
        block: Index from 0.

    Returns:
        (N, heads, P + L, P + L) float32, query before key. Rows sum to 1; to less where a window
        at the border attends to its padding.

    Raises:
        ValueError: If the encoder attends in shifted windows of a pyramid, or in another way.
    """
    attention = getattr(blocks_of(backbone)[block], 'attn', None)
    ways = {SelfAttention: _plain, QVAttention: _qv}
    if type(attention) not in ways:
        raise ValueError(
            f'{type(backbone).__name__} has no attention among all patches to show: this is for '
            'MaskedViT and MaskedBEiT.'
        )
    found = []

    def look(module, inputs):
        found.append(ways[type(attention)](module, *inputs).float())

    run(backbone, images, None, [attention.register_forward_pre_hook(look)])
    return found[0]


@torch.no_grad()
def probe_weights(pool: AttentivePool, tokens: Tensor) -> Tensor:
    """Softmaxed attention of the query of an attentive probe: (N, L, D) -> (N, heads, L)."""
    cross = pool.cross_attn
    q = F.linear(pool.norm_q(pool.query_token), cross.q.weight, cross.q_bias)
    k = cross.k(pool.norm_k(tokens))
    q, k = (part.unflatten(2, (cross.num_heads, -1)).transpose(1, 2) for part in (q, k))
    return _softmax(q, k)[:, :, 0]

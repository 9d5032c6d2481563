"""Parameters, FLOPs and memory of models, counted without a GPU: no clock is read."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from unittest import mock

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from mmmim.models import attention

AMP = 'AmpOptimWrapper'
STATE = 16  # bytes per trained parameter: weight, gradient and AdamW's two averages in float32
HELD = 4  # bytes per parameter that is not trained: tokenizers, momentum encoders


def parameters(model: nn.Module) -> tuple[int, int]:
    """(trained, not trained) parameters."""
    trained = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return trained, sum(p.numel() for p in model.parameters()) - trained


def state_bytes(model: nn.Module) -> int:
    """Memory of weights, gradients and AdamW's averages."""
    trained, held = parameters(model)
    return STATE * trained + HELD * held


def forward_flops(run: Callable[[], object]) -> int:
    """FLOPs of the matrix products and convolutions in ``run()``, two per multiply-add.

    Attention is computed step by step, since not every fused kernel is counted.
    """
    with plain_attention(), FlopCounterMode(display=False) as counter, torch.no_grad():
        run()
    return counter.get_total_flops()


def stored_bytes(run: Callable[[], object]) -> int:
    """Memory that autograd keeps for the backward pass of ``run()``, each storage once.

    With the fused attention that GPUs have, which keeps no matrix of all pairs of tokens.
    """
    found, alive = {}, []

    def keep(tensor: Tensor) -> None:
        """What is returned takes the tensor's place in the graph, which would hold itself."""
        storage = tensor.untyped_storage()
        alive.append(storage)  # else an address is used twice
        found[storage.data_ptr()] = storage.nbytes()

    fused = mock.patch.object(attention, '_LONG', 0)
    with fused, torch.autograd.graph.saved_tensors_hooks(keep, lambda x: x):
        run()
    return sum(found.values())


def plain_attention():
    """Attention as two matrix products, in which FLOPs are counted."""
    from torch.nn.attention import SDPBackend, sdpa_kernel

    return sdpa_kernel(SDPBackend.MATH)


def step_costs(cfg, model: nn.Module, batches: list) -> dict:
    """What an image costs in a pre-training step.

    Args:
        cfg (Config): Whose precision is used.
        model: Its self-supervisor, on the CPU.
        batches: Two of :func:`mmmim.analysis.cost.drawn_batch`, the second with more images: the
            difference leaves out what a batch needs once, such as weights in 16 bits.

    Returns:
        dict(flops=of the forward pass, stored=bytes kept for the backward pass), per image.
    """
    model.train()
    amp = str(cfg.optim_wrapper.get('type')).split('.')[-1] == AMP
    sizes = [len(batch['inputs']['sample_index']) for batch in batches]

    def losses(batch):
        data = model.data_preprocessor(dict(inputs=dict(batch['inputs'])), True)
        precision = torch.autocast('cpu', torch.bfloat16) if amp else contextlib.nullcontext()
        with precision:
            return model(**data, mode='loss')

    stored = [stored_bytes(lambda batch=batch: losses(batch)) for batch in batches]
    flops = [forward_flops(lambda batch=batch: losses(batch)) for batch in batches]
    more = sizes[1] - sizes[0]
    return dict(flops=(flops[1] - flops[0]) / more, stored=(stored[1] - stored[0]) / more)

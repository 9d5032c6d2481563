"""LARS as the linear probes of the papers use it."""

import torch
from torch.optim import Optimizer

from mmmim.registry import OPTIMIZERS


@OPTIMIZERS.register_module()
class LARS(Optimizer):
    """Momentum SGD whose steps on matrices are as long as the matrices tell.

    You, Gitman and Ginsburg, arXiv:1708.03888, as in facebookresearch/mae's ``util/lars.py`` (there
    from MoCo v3), which CAE's probe shares: with ``g = gradient + weight_decay * p``,

        g <- g * trust_coefficient * |p| / |g|   where p has more than one dimension
        v <- momentum * v + g;    p <- p - lr * v

    Vectors (biases) get plain momentum SGD: no ratio, no decay. A matrix that is zero, or has no
    gradient, gets the ratio 1. mmpretrain's LARS takes the ratio of biases too unless each group
    says ``lars_exclude``, puts the learning rate inside the momentum buffer, where a falling rate
    lags behind, and reads two norms per tensor to the host.

    Args:
        params: Parameters or groups.
        lr (float): Learning rate, 0 or more.
        momentum (float): In [0, 1).
        weight_decay (float): L2 penalty of matrices.
        trust_coefficient (float): Length of a step as a share of the matrix.

    Raises:
        ValueError: For a value outside its range.
    """

    def __init__(self, params, lr, momentum=0.9, weight_decay=0.0, trust_coefficient=0.001):
        values = dict(lr=lr, weight_decay=weight_decay, trust_coefficient=trust_coefficient)
        for name, value in values.items():
            if value < 0:
                raise ValueError(f'LARS: {name} must not be negative, got {value}.')
        if not 0 <= momentum < 1:
            raise ValueError(f'LARS: momentum must lie in [0, 1), got {momentum}.')
        super().__init__(params, dict(values, momentum=momentum))

    @torch.no_grad()
    def step(self, closure=None):
        """One update; returns the closure's loss, if there is one."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            for param in group['params']:
                if param.grad is not None:
                    self._update(param, group)
        return loss

    def _update(self, param, group):
        step = param.grad
        if param.ndim > 1:
            step = step.add(param, alpha=group['weight_decay'])
            step = step * trust_ratio(param, step, group['trust_coefficient'])
        state = self.state[param]
        if 'momentum_buffer' not in state:
            state['momentum_buffer'] = torch.zeros_like(param)
        velocity = state['momentum_buffer'].mul_(group['momentum']).add_(step)
        param.add_(velocity, alpha=-group['lr'])


def trust_ratio(param, step, coefficient):
    """``coefficient * |param| / |step|``, 1 where one of them is 0; a scalar on the device."""
    length, other = param.norm(), step.norm()
    ratio = coefficient * length / other
    return torch.where((length > 0) & (other > 0), ratio, torch.ones_like(ratio))

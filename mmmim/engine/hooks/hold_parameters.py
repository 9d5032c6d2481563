"""Parameters that start to train later than the others."""

from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mmmim.registry import HOOKS


@HOOKS.register_module()
class HoldParametersHook(Hook):
    """Leave some parameters as they are during the first epochs.

    DINO (arXiv:2104.14294, its code) cancels the gradient of the head's last layer in the first
    epoch, iBOT too. The gradient is taken away just before the optimizer steps, behind clipping, so
    that neither weight decay nor the optimizer's running means see these parameters; it works under
    any runner, precision, and with accumulation.

    Args:
        names (Sequence[str]): Prefixes of parameter names, such as 'neck.last_layer'.
        epochs (int): Number of epochs.

    Raises:
        ValueError: If no trainable parameter has one of the prefixes.
    """

    def __init__(self, names=('neck.last_layer',), epochs=1):
        self.names, self.epochs = tuple(names), epochs
        self._handle = None

    def before_train(self, runner):
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        held = [
            parameter
            for name, parameter in model.named_parameters()
            if name.startswith(self.names) and parameter.requires_grad
        ]
        if not held:
            raise ValueError(
                f'HoldParametersHook: no trainable parameter begins with {self.names}: give '
                'prefixes of the model, such as neck.last_layer.'
            )

        def hold(optimizer, args, kwargs):
            if runner.epoch < self.epochs:
                for parameter in held:
                    parameter.grad = None

        self._handle = runner.optim_wrapper.optimizer.register_step_pre_hook(hold)

    def after_train(self, runner):
        self._handle.remove()

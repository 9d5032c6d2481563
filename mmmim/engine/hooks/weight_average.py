"""An average of the weights beside a supervised training."""

from mmengine.hooks import EMAHook

from mmmim.registry import HOOKS


@HOOKS.register_module()
class WeightAverageHook(EMAHook):
    """mmengine's EMAHook that averages once per optimizer step and may leave evaluation alone.

    mmengine and mmpretrain average at each iteration, hence several times per step where gradients
    accumulate. As theirs, checkpoints hold the average as ``state_dict`` and the weights as
    ``ema_state_dict``, and loading with the hook swaps them back.

    Args:
        evaluate (bool): Validate and test the average (MAE's training from scratch) instead of the
            weights (DeiT).
        **kwargs: Of mmengine's ``EMAHook``: ``momentum``, the share of the new weights, and others.
    """

    def __init__(self, evaluate=True, **kwargs):
        super().__init__(**kwargs)
        self.evaluate = evaluate

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if runner.optim_wrapper.should_update():
            super().after_train_iter(runner, batch_idx, data_batch, outputs)

    def before_val_epoch(self, runner):
        if self.evaluate:
            super().before_val_epoch(runner)

    def after_val_epoch(self, runner, metrics=None):
        if self.evaluate:
            super().after_val_epoch(runner, metrics)

    def before_test_epoch(self, runner):
        if self.evaluate:
            super().before_test_epoch(runner)

    def after_test_epoch(self, runner, metrics=None):
        if self.evaluate:
            super().after_test_epoch(runner, metrics)

"""Schedules that count optimizer updates."""

from mmengine.hooks import ParamSchedulerHook as BaseParamSchedulerHook

from mmmim.registry import HOOKS


@HOOKS.register_module()
class ParamSchedulerHook(BaseParamSchedulerHook):
    """Step iteration schedules once per optimizer update instead of once per micro-batch.

    With this, gradient accumulation sees exactly the rates of the undivided batch. It needs the
    schedules to be built in updates, which ``mmmim.Runner`` does; under any other runner the hook
    is mmengine's.
    """

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        if getattr(runner, 'schedules_count_updates', False):
            if not runner.optim_wrapper.should_update():
                return
        super().after_train_iter(runner, batch_idx, data_batch, outputs)

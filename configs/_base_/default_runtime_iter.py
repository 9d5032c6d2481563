"""The same for runs counted in iterations; a config on top sets its own checkpoint interval."""

_base_ = ['./default_runtime.py']

default_hooks = dict(
    logger=dict(log_metric_by_epoch=False), checkpoint=dict(by_epoch=False, interval=10000)
)

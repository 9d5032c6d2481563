from .attribute_schedule import AttributeScheduleHook
from .checkpoint import CheckpointHook
from .final_evaluation import FinalEvaluationHook
from .meter import LossMeterHook, ProgressHook, TimerHook
from .param_scheduler import ParamSchedulerHook

__all__ = [
    'AttributeScheduleHook',
    'CheckpointHook',
    'FinalEvaluationHook',
    'LossMeterHook',
    'ParamSchedulerHook',
    'ProgressHook',
    'TimerHook',
]

"""Evaluation after the last step, on every split that a config has, into one file."""

import json
import os

from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from mmmim.registry import HOOKS

from ..disk import whole_file


@HOOKS.register_module()
class FinalEvaluationHook(Hook):
    """Run the validation and test loops once, after training, with the last weights.

    A resumed run that was killed after its last step evaluates too, since nothing depends on the
    training loop. Metrics go to ``WORK_DIR/final_metrics.json``: ``{"val": {...}, "test": {...}}``.

    Args:
        loops (sequence[str]): Of ``'val'`` and ``'test'``, those to run. With a tune split as
            ``val_dataloader`` and a validation split as ``test_dataloader``, choices are made on
            the first and reported on the second.
        out (str): Name of the file.

    Raises:
        ValueError: If ``loops`` holds another name, or the config lacks one of them.
    """

    priority = 'VERY_LOW'  # after the checkpoint is written

    def __init__(self, loops=('val', 'test'), out='final_metrics.json'):
        unknown = [name for name in loops if name not in ('val', 'test')]
        if unknown or not loops:
            raise ValueError(f"loops of FinalEvaluationHook must be of 'val', 'test': {loops!r}.")
        self.loops, self.out = tuple(loops), out

    def before_train(self, runner):
        for name in self.loops:
            if runner.cfg.get(f'{name}_dataloader') is None:
                raise ValueError(
                    f'FinalEvaluationHook is to run the {name} loop, but the config has no '
                    f'{name}_dataloader: leave {name!r} out of its loops.'
                )

    def after_train(self, runner):
        metrics = {}
        for name in self.loops:
            loop = runner.val_loop if name == 'val' else runner.test_loop
            metrics[name] = {key: plain_number(value) for key, value in loop.run().items()}
        if is_main_process():
            with whole_file(os.path.join(runner.work_dir, self.out)) as temporary:
                with open(temporary, 'w', encoding='utf-8') as file:
                    json.dump(metrics, file, indent=1)


def plain_number(value):
    """A metric as JSON takes it: tensors and NumPy scalars become Python numbers."""
    return value.item() if hasattr(value, 'item') and getattr(value, 'size', 1) != 0 else value

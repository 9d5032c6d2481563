"""The file that a trained tokenizer is used from."""

import os

import torch
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper

from mmmim.registry import HOOKS

from ..disk import whole_file


@HOOKS.register_module()
class TokenizerFileHook(Hook):
    """Write the backbone of ``mmmim.TokenizerTraining`` to the work directory at the end.

    Plain tensors, for ``tokenizer=dict(type='mmmim.DiscreteVAE', checkpoint=FILE, ...)``.

    Args:
        name (str): Name of the file.
    """

    def __init__(self, name='tokenizer.pth'):
        self.name = name

    def after_train(self, runner):
        if not is_main_process():
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        state = {key: value.detach().cpu() for key, value in model.backbone.state_dict().items()}
        path = os.path.join(runner.work_dir, self.name)
        with whole_file(path) as temporary:
            torch.save(dict(state_dict=state), temporary)
        runner.logger.info(f'Tokenizer: {path}')

"""Which images a run was trained on."""

import os

from mmengine.dist import is_main_process
from mmengine.hooks import Hook

from mmmim.registry import HOOKS


@HOOKS.register_module()
class ImageListHook(Hook):
    """Writes ``images.txt`` into the work folder before training: the images of an
    ``mmmim.ImageSubset``, in a form that ``files=`` of any image folder takes back."""

    def before_train(self, runner):
        dataset = runner.train_dataloader.dataset
        if is_main_process() and hasattr(dataset, 'write_list'):
            path = os.path.join(runner.work_dir, 'images.txt')
            dataset.write_list(path)
            runner.logger.info(f'{dataset.choice}: listed in {path}.')

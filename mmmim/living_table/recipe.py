"""How one row is pre-trained and transferred: paths and words, independent of the seed."""

from __future__ import annotations

from functools import cached_property

from mmmim.jobs.training import config_text

from .configs import (
    DATA,
    Length,
    Unavailable,
    backbone_words,
    count_samples,
    find_config,
    is_classifier,
    load_config,
    moved_paths,
)
from .methods import PREREQUISITES
from .options import TRAINED, Options


class Recipe:
    """The pre-training of a row.

    Args:
        method: Row with a config.
        options: Of the table.
        places: Paths as configs write them -> where they are now.

    Attributes:
        path: Of the config.
        cfg: Resolved, with the row's own options.
        length: Epochs and images.
        words: For --cfg-options, whatever the seed.
        encoder_name: File in the work directory that transfer reads.

    Raises:
        Unavailable: If the row cannot be trained.
    """

    def __init__(self, method, options: Options, places: dict):
        self.method, self.options = method, options
        self.path = find_config(options.root, method.config)
        self.cfg = load_config(self.path, method.options)
        words = [*method.options, *moved_paths(self.cfg, places)]
        if not is_classifier(self.cfg):  # that one has few images, and a recipe of its own
            words += [
                f'train_dataloader.batch_size={options.batch_size}',
                f'auto_scale_lr.base_batch_size={options.batch_size}',
            ]
        self.cfg = load_config(self.path, words)
        try:
            self.samples = count_samples(self.cfg.train_dataloader.dataset)
        except OSError as error:
            raise Unavailable(f'its data set cannot be read: {error}') from error
        self.length = Length(self.cfg, self.samples, options.images)
        self.words = [*words, *self.length.overrides(self.cfg)]
        last = f'epoch_{self.length.epochs}.pth'
        self.encoder_name = last if is_classifier(self.cfg) else 'encoder.pth'
        self.batch_size = self.cfg.train_dataloader.batch_size

    @cached_property
    def text(self) -> str:
        return config_text(self.cfg)

    def seed_words(self, seed: int) -> list[str]:
        """The few images of a seed."""
        if not self.method.images:
            return []
        dataset = 'train_dataloader.dataset'
        return [f'{dataset}.num_images={self.method.images}', f'{dataset}.subset_seed={seed}']


class Transfer:
    """A transfer recipe of the main job, as a row uses it.

    Args:
        protocol: 'ft', 'det' or 'seg'.
        options: Of the table.
    """

    def __init__(self, protocol: str, options: Options):
        self.task = TRAINED[protocol]
        self.path = options.root / self.task.config
        self.cfg = load_config(self.path)
        self.text = config_text(self.cfg)
        self.words = moved_paths(self.cfg, {DATA: str(options.data)})
        self.batch_size = self.cfg.train_dataloader.batch_size
        if options.smoke:
            self.words.append(self.task.smoke)

    def backbone(self, recipe: Recipe | None) -> list[str]:
        """Words that fit the backbone to the pre-trained one; none for a scratch row."""
        if recipe is None:
            return []
        if is_classifier(recipe.cfg):
            return []
        return backbone_words(recipe.cfg.model.backbone, self.cfg.model.backbone)


def prerequisite(name: str):
    """The prerequisite of that name."""
    return next(item for item in PREREQUISITES if item.name == name)

"""What a row's config becomes for a given number of images: pure functions on configs."""

from __future__ import annotations

import math
from pathlib import Path

from mmengine.config import Config, ConfigDict

DATA = 'data/scenes'
# Where paths take effect; tools/train.py refuses overrides of variables that a file has used.
WITH_PATHS = ('model', 'custom_hooks') + tuple(
    f'{loop}_{part}' for loop in ('train', 'val', 'test') for part in ('dataloader', 'evaluator')
)
# Of a backbone's keywords, those that a transfer recipe decides for itself.
OWN = frozenset(
    {
        *('out_type', 'out_indices', 'final_norm', 'drop_path_rate', 'drop_rate', 'attn_drop_rate'),
        *('masked', 'mid_mask_depth', 'mid_mask_ratio', 'frozen_stages', 'with_cp', 'pretrained'),
        *('init_cfg', 'arch', 'init', 'in_channels', 'pos_embed', 'frozen_patch_embed'),
    }
)
FIXED_TABLES = ('sincos', 'sincos_row_first', 'sinusoid_1d')
DEFAULT_TABLE = {'mmmim.MaskedBEiT': 'none'}  # of the others: a fixed one


class Unavailable(ValueError):
    """A row that cannot be trained; the message says why and is shown in the table."""


def find_config(root: Path, start: str) -> Path:
    """The one demo config on the scenes whose name starts with ``start`` and an underscore.

    Raises:
        Unavailable: If there is none, or more than one.
    """
    found = sorted((Path(root) / 'configs/demo').glob(f'{start}_*_scenes-*px.py'))
    if len(found) != 1:
        raise Unavailable(f'{len(found) or "no"} configs {start}_*_scenes-*px.py in configs/demo')
    return found[0]


def load_config(path, options=()) -> Config:
    """A config with ``KEY=VALUE`` words merged, as --cfg-options would.

    Raises:
        Unavailable: If it cannot be read or does not take the options.
    """
    from mmmim.engine.options import common_parser

    try:
        cfg = Config.fromfile(path)
        if options:
            words = common_parser('').parse_args([str(path), '--cfg-options', *options])
            cfg.merge_from_dict(words.cfg_options)
    except Exception as error:  # a config is a program: it may raise anything
        raise Unavailable(f'{Path(path).name}: {type(error).__name__}: {error}') from error
    return cfg


def count_samples(dataset, root='.') -> int:
    """Entries of a data set config of this toolkit or of mmpretrain.

    Raises:
        Unavailable: For another kind of data set.
    """
    from mmmim.datasets.file_list import list_files

    root = Path(root)
    if dataset.get('type') in ('mmmim.ImageFolder', 'mmmim.ImageSubset'):
        if dataset.get('epoch_length'):
            return dataset.epoch_length
        return len(list_files(str(root / dataset.data_root), dataset.get('files')))
    if dataset.get('ann_file'):
        text = (root / dataset.get('data_root', '') / dataset.ann_file).read_text(encoding='utf-8')
        return sum(bool(line.strip()) for line in text.splitlines())
    raise Unavailable(f'cannot count the samples of a {dataset.get("type")}')


class Length:
    """Epochs that show a given number of images, to the nearest epoch and at least one.

    Args:
        cfg: With ``train_dataloader`` and ``train_cfg.max_epochs``.
        samples: In the data set.
        images: Wanted.

    Attributes:
        steps: Iterations of an epoch.
        epochs: Number of them.
        images: Seen by all of them.
    """

    def __init__(self, cfg, samples: int, images: int):
        loader = cfg.train_dataloader
        batch = loader.batch_size
        self.steps = samples // batch if loader.get('drop_last') else math.ceil(samples / batch)
        if self.steps < 1:
            raise Unavailable(f'{samples} samples are fewer than a batch of {batch}')
        if not cfg.get('train_cfg', {}).get('max_epochs'):
            raise Unavailable('the length of its config is not in epochs')
        seen = min(self.steps * batch, samples)
        self.epochs = max(1, round(images / seen))
        self.images = self.epochs * seen
        self.share = self.epochs / cfg.train_cfg.max_epochs

    def overrides(self, cfg) -> list[str]:
        """Words that set the epochs and move the borders of schedules in epochs with them."""
        words = [f'train_cfg.max_epochs={self.epochs}']
        words += _scaled('model', cfg.get('model') or {}, self.share)
        for index, scheduler in enumerate(cfg.get('param_scheduler') or ()):
            if not scheduler.get('by_epoch', True):
                continue
            for key in ('begin', 'end'):
                if scheduler.get(key):
                    # A warm-up keeps at least one step, whatever is rounded down later.
                    value = max(scheduler[key] * self.share, 1.01 / self.steps)
                    words.append(f'param_scheduler.{index}.{key}={value:.6g}')
        return words


def _scaled(key: str, value, share: float):
    """Words for every ``warmup_epochs`` below ``key``, whole and at least one."""
    for name, item in value.items():
        if isinstance(item, dict):
            yield from _scaled(f'{key}.{name}', item, share)
        elif name == 'warmup_epochs':
            yield f'{key}.{name}={max(1, round(item * share))}'


def moved_paths(cfg, places: dict[str, str]) -> list[str]:
    """Words that replace the start of every path in a config.

    Args:
        cfg: Resolved config.
        places: Start of a path as configs write it -> its place now.
    """

    def visit(value, key):
        if isinstance(value, dict):
            for name, item in value.items():
                yield from visit(item, f'{key}.{name}' if key else str(name))
        elif isinstance(value, (list, tuple)):
            for index, item in enumerate(value):
                yield from visit(item, f'{key}.{index}')
        elif isinstance(value, str):
            for old, new in places.items():
                if old != str(new) and (value == old or value.startswith(old + '/')):
                    yield f'{key}={new}{value[len(old) :]}'

    values = cfg.to_dict()
    return [word for key in WITH_PATHS if key in values for word in visit(values[key], key)]


def backbone_words(pretraining: ConfigDict, transfer: ConfigDict) -> list[str]:
    """Words that give a transfer config the architecture that was pre-trained.

    A fixed position table may be learnt in transfer, if its recipe says so.

    Args:
        pretraining: Backbone config of the pre-training.
        transfer: Backbone config of the transfer recipe.

    Raises:
        Unavailable: If the width, depth, patch or image size differ.
    """
    for key in ('arch', 'patch_size', 'img_size'):
        if pretraining.get(key) != transfer.get(key):
            raise Unavailable(
                f'its {key} {pretraining.get(key)} is not that of the transfer configs'
            )
    wanted = {key: value for key, value in pretraining.items() if key not in OWN}
    table = pretraining.get('pos_embed', DEFAULT_TABLE.get(pretraining.type, FIXED_TABLES[0]))
    if table not in FIXED_TABLES or 'pos_embed' not in transfer:
        wanted['pos_embed'] = table
    return [
        f'model.backbone.{key}={value}'
        for key, value in wanted.items()
        if transfer.get(key) != value
    ]


def is_classifier(cfg) -> bool:
    """Whether a config trains with labels, so that its checkpoint stands for the encoder."""
    return str(cfg.model.type).split('.')[-1] == 'ImageClassifier'

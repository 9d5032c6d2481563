"""Scale any config down: width 32, depth 2, images of 4 patches a side; everything else is kept."""

import copy
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mmengine.config import ConfigDict

from mmmim.models.backbones.archs import resolve_arch

from . import configs

WIDTH, DEPTH, HEADS, SIDE, CLASSES, TOKENS = 32, 2, 4, 4, 10, 64
WIDTH_KEYS = frozenset(
    'in_dims embed_dims in_channels out_channels feat_channels channels fc_out_channels '
    'conv_out_channels hidden_dims proj_dims bottleneck_dims codebook_dims input_features'.split()
)
DEPTH_KEYS = frozenset('num_layers depth regressor_depth decoder_depth num_resblocks'.split())
SIZE_KEYS = frozenset('img_size size crop_size stride wide_size pad_size_divisor'.split())
WINDOW = 3  # does not divide SIDE, so that windows at the border are padded
COUNT_KEYS = frozenset('num_masked min_patches max_patches'.split())
# Numbers of classes that a target and a head share: vocabularies, prototypes.
TOKEN_KEYS = frozenset('num_tokens num_prototypes out_dims'.split())
MOST_PIXELS = 3 * 32**2  # values of the largest patch; what is above is a vocabulary


@dataclass(frozen=True)
class Tiny:
    """A tiny copy that stands for all configs that shrink to the same model.

    Attributes:
        names: Configs it stands for.
        key: The shrunk parts as JSON, equal exactly where the models are.
    """

    names: tuple[str, ...]
    key: str

    @property
    def cfg(self) -> ConfigDict:
        return ConfigDict(json.loads(self.key))

    @property
    def full(self) -> ConfigDict:
        """The first of the configs, as written."""
        return configs.load(configs.CONFIGS / f'{self.names[0]}.py')

    @property
    def id(self) -> str:
        more = f'+{len(self.names) - 1}' if len(self.names) > 1 else ''
        return Path(self.names[0]).name + more


def place(model) -> tuple[int, int]:
    """(side of the image, side of a cell) of a model config, in pixels.

    The cell is what must stay whole: a patch, or the stride of a pyramid.
    """
    backbone = model.get('backbone') or model
    size = backbone.get('img_size', 224)
    side = size if isinstance(size, int) else min(size)
    if 'Swin' in backbone.get('type', ''):
        return side, backbone.get('patch_size', 4) * 8
    return side, backbone.get('patch_size', 16)


def shrink(cfg) -> dict:
    """The model, data preprocessor, training data and optimizer wrapper of a config, tiny.

    The patch stays, so that strides of dense heads and widths of pixel targets stay right.
    """
    side, cell = place(cfg.model)
    scale = SIDE * cell / side

    def smaller(key, node):
        if key in SIZE_KEYS:
            return max(2, round(node * scale / cell)) * cell
        if key in COUNT_KEYS:
            return max(1, round(node * (SIDE * cell / side) ** 2))
        if key in WIDTH_KEYS and node > WIDTH:
            return WIDTH
        if key in TOKEN_KEYS and node > MOST_PIXELS:
            return TOKENS
        limits = {'num_classes': CLASSES, **dict.fromkeys(DEPTH_KEYS, DEPTH)}
        return min(node, limits.get(key, node))

    def walk(node, key=None):
        if key == 'arch':
            return node  # tiny already
        if isinstance(node, dict):
            return {k: walk(v, k) for k, v in _shrink_dict(dict(node)).items()}
        if isinstance(node, (list, tuple)):
            return [walk(item, key) for item in node]
        if isinstance(node, bool) or not isinstance(node, int):
            return node
        return smaller(key, node)

    parts = {
        'model': cfg.model,
        'data_preprocessor': cfg.get('data_preprocessor'),
        'dataset': cfg.train_dataloader.dataset,
        'optim_wrapper': cfg.optim_wrapper,
        'default_scope': cfg.get('default_scope'),
    }
    return {name: walk(copy.deepcopy(part)) for name, part in parts.items()}


def _shrink_dict(node: dict) -> dict:
    """The sizes that hang together."""
    if 'arch' in node:
        node = _shrink_swin(node) if 'Swin' in node['type'] else _shrink_backbone(node)
    elif 'num_heads' in node:
        node['num_heads'] = HEADS
    if 'Projection' in node.get('type', ''):
        for key in set(node) & (WIDTH_KEYS | TOKEN_KEYS):
            node[key] = min(node[key], WIDTH)
    return node


def _shrink_swin(node: dict) -> dict:
    """Four stages of one block, ``WIDTH`` wide at the end; the last map is ``SIDE`` wide."""
    arch = dict(embed_dims=WIDTH // 8, depths=[1] * 4, num_heads=[1, 2, 4, 4])
    return {**node, 'arch': arch, 'window_size': 2, 'pretrained': None}


def _shrink_backbone(node: dict) -> dict:
    old = resolve_arch(node['arch'])
    indices = node.get('out_indices', -1)
    depth = min(old['num_layers'], DEPTH if isinstance(indices, int) else len(indices))
    ratio = depth / old['num_layers']
    node['arch'] = dict(
        embed_dims=WIDTH,
        num_layers=depth,
        num_heads=HEADS,
        feedforward_channels=WIDTH * old['feedforward_channels'] // old['embed_dims'],
    )
    if not isinstance(indices, int):
        node['out_indices'] = list(range(depth))
    if node.get('mid_mask_depth') is not None:
        node['mid_mask_depth'] = max(1, min(depth - 1, round(node['mid_mask_depth'] * ratio)))
    if node.get('window_size'):
        node['window_size'] = WINDOW
        node['global_blocks'] = [depth - 1] if node.get('global_blocks') else []
    if node.get('frozen_stages', -1) > 0:
        node['frozen_stages'] = max(1, round(node['frozen_stages'] * ratio))
    return {**node, 'pretrained': None}


def model_key(cfg) -> str:
    """What decides whether two tiny copies would run the same tests.

    Rates, accumulation and file names do not; the crops of the pipeline do not either.
    """
    small = shrink(cfg)
    small['optim_wrapper']['optimizer']['lr'] = 1e-3
    small['optim_wrapper'].pop('accumulative_counts', None)
    for part, rate in (('optim_wrapper', 'paramwise_cfg'), ('model', 'backbone')):
        for name in ('layer_decay_rate', 'drop_path_rate'):
            if (small[part].get(rate) or {}).get(name):
                small[part][rate][name] = 0.5
    views = small.pop('dataset').get('pipeline', []) if configs.kind(cfg) == 'pretraining' else []
    small['views'] = [step for step in views if 'scale' not in step]
    return json.dumps(small, sort_keys=True)


@cache
def tinies(kind: str) -> tuple[Tiny, ...]:
    """Tiny copies of all configs of a kind, one per distinct model."""
    groups: dict[str, list[Path]] = {}
    for path in configs.paths_of(kind):
        groups.setdefault(model_key(configs.load(path)), []).append(path)
    return tuple(
        Tiny(
            names=tuple(configs.name(path) for path in paths),
            key=json.dumps(shrink(configs.load(paths[0])), sort_keys=True),
        )
        for paths in groups.values()
    )

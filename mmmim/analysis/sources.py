"""What a tool looks at: a model with the weights of a checkpoint, and images as pixels."""

from __future__ import annotations

import ast
import logging
import os
import re
from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from torch import Tensor, nn

from mmmim.datasets.decoding import ImageError, decode
from mmmim.datasets.pixel_format import PixelFormat
from mmmim.datasets.sources import find_images
from mmmim.engine.checkpoints.newest import newest_intact
from mmmim.engine.encoder_file import FORMAT
from mmmim.engine.errors import ConfigError
from mmmim.engine.launch import load_config, merge_options
from mmmim.registry import MODELS
from mmmim.transfer import load_pretrained, read_checkpoint
from mmmim.transfer.layouts import BESIDE_ENCODER, find_state
from mmmim.transfer.whole_model import load_checkpoint

from .batches import check_pixels, check_size, pick, readable

RANDOM = 'random'
_CONSTANTS = ('data_preprocessor', 'target', 'corruption')


class EncoderAlone(nn.Module):
    """Backbone and preprocessor of a config, with no need for what else it names (tokenizers).

    Args:
        cfg (Config): With ``model.backbone``.
    """

    def __init__(self, cfg):
        super().__init__()
        given = cfg.model.get('data_preprocessor') or cfg.get('data_preprocessor') or {}
        statistics = {key: given[key] for key in ('mean', 'std') if given.get(key)}
        backbone = dict(cfg.model.backbone)
        if backbone.get('pretrained'):
            backbone['pretrained'] = None
        self.backbone = MODELS.build(backbone)
        self.data_preprocessor = MODELS.build(dict(type='mmmim.ViewsPreprocessor', **statistics))

    def init_weights(self) -> None:
        if hasattr(self.backbone, 'init_weights'):  # a tokenizer has torch's own initialisation
            self.backbone.init_weights()


def load_model(
    source, checkpoint=None, options: Mapping | Sequence = (), seed: int = 0, whole: bool = False
) -> tuple[nn.Module, Config]:
    """A model in evaluation mode on the CPU, and its resolved config.

    Args:
        source: Config file; or a checkpoint of this toolkit, which carries its config; or a work
            directory, whose newest checkpoint is taken.
        checkpoint: Weights for a config: any file that ``pretrained=`` takes, or with ``whole`` any
            that :func:`mmmim.transfer.whole_model.load_checkpoint` takes. None or 'random' leaves
            random weights of ``seed``.
        options: Changes of the config, as ``--cfg-options``.
        seed: Of weights that are drawn.
        whole: Whether to build the model with decoder, target or head, all of it from the file;
            without it, the encoder alone.

    Returns:
        (model, config). The model has ``backbone`` and ``data_preprocessor``; it is an
        :class:`EncoderAlone` unless ``whole``.

    Raises:
        ValueError: If a file is missing or does not fit, or has no decoder but should.
    """
    cfg, path = read_source(source, checkpoint)
    if path is not None and whole:
        require_more_than_encoder(path)
    merge_options(cfg, dict(options))
    model = build_model(cfg, seed) if whole else build_encoder(cfg, seed)
    if path is not None and whole:
        load_checkpoint(model, path)
    elif path is not None:
        load_pretrained(model.backbone, path, logger='silent')
    return model.eval(), cfg


def read_source(source, checkpoint=None) -> tuple[Config, str | None]:
    """The config, and the file of the weights or None; see :func:`load_model`."""
    source = os.fspath(source)
    if source.endswith('.py'):
        drawn = checkpoint in (None, RANDOM)
        return load_config(source), None if drawn else checkpoint_in(checkpoint)
    path = checkpoint_in(source)
    return _config_inside(path), path


def checkpoint_in(path) -> str:
    """The checkpoint itself; of a work directory or an export the newest, or the encoder."""
    path = os.fspath(path)
    if not os.path.isdir(path):
        return path
    found = newest_intact(path)
    if found is not None:
        return str(found)
    from mmmim.api.architecture import FILES, find_file  # which imports this module

    try:
        return find_file(path)
    except ValueError:
        text = f'{path} holds neither epoch_N.pth or iter_N.pth nor {", ".join(FILES)}'
        raise ValueError(f'{text}: give a checkpoint or the work directory of a run.') from None


def build_model(cfg: Config, seed: int = 0) -> nn.Module:
    """The model of a config as the runner builds it, with its own initialisation."""
    init_default_scope(cfg.get('default_scope') or 'mmpretrain')
    settings = dict(cfg.model)
    if cfg.get('data_preprocessor'):
        settings.setdefault('data_preprocessor', cfg.data_preprocessor)
    return _initialised(lambda: MODELS.build(settings), seed)


def build_encoder(cfg: Config, seed: int = 0) -> EncoderAlone:
    """The encoder of a config with its own initialisation.

    Raises:
        ValueError: If the model of the config has no backbone.
    """
    init_default_scope(cfg.get('default_scope') or 'mmpretrain')
    if not cfg.get('model', {}).get('backbone'):
        raise ValueError(f'{cfg.filename or "the config"} has no model.backbone to look at.')
    return _initialised(lambda: EncoderAlone(cfg), seed)


def _initialised(build, seed: int) -> nn.Module:
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel(logging.WARNING)  # mmengine lists every parameter that it initialises
    torch.manual_seed(seed)
    try:
        model = build()
        model.init_weights()
    except TypeError as error:  # mmengine says which class and keyword
        raise ConfigError(f'the model of this config cannot be built: {error}.') from error
    finally:
        logger.setLevel(level)
    return model


def require_more_than_encoder(path) -> None:
    """Refuse a file that holds nothing beside an encoder.

    Raises:
        ValueError: If it has no decoder, neck or head.
    """
    state = find_state(read_checkpoint(path), source=str(path))
    first = {re.split(r'[._]', name, maxsplit=1)[0] for name in state}
    whole = {name.split('.', 1)[0] for name in state}
    if not (first | whole) & (set(BESIDE_ENCODER) - set(_CONSTANTS)):
        raise ValueError(
            f'{path} has no decoder, only an encoder: what is needed is the whole checkpoint of '
            'the pre-training (epoch_N.pth or iter_N.pth in its work directory).'
        )


def _config_inside(path: str) -> Config:
    """The config that a checkpoint of this toolkit carries."""
    content = read_checkpoint(path)
    meta = content.get('meta') if isinstance(content, Mapping) else None
    meta = meta if isinstance(meta, Mapping) else {}
    if meta.get('format') == FORMAT and meta.get('backbone'):  # which older files lack
        return _encoder_config(meta)
    if isinstance(meta.get('cfg'), str):
        return Config(parse_literals(meta['cfg'], path))
    name = f' ({meta["config"]})' if meta.get('config') else ''
    raise ValueError(f'{path} carries no config: give the config file{name} before the checkpoint.')


def _encoder_config(meta: Mapping) -> Config:
    preprocessor = {key: meta[key] for key in ('mean', 'std') if meta.get(key)}
    return Config(dict(model=dict(backbone=meta['backbone']), data_preprocessor=preprocessor))


def parse_literals(text: str, source: str) -> dict:
    """The assignments of a config as mmengine prints it: ``dict(...)`` and literals, nothing else.

    A checkpoint is data: its config is read, never run.

    Raises:
        ConfigError: If the text holds anything else.
    """
    try:
        found = {}
        for line in ast.parse(text).body:
            (name,) = line.targets
            found[name.id] = _value(line.value)
    except (SyntaxError, ValueError, AttributeError) as error:
        raise ConfigError(
            f'the config inside {source} cannot be read ({error}): give the config file before the '
            'checkpoint.'
        ) from error
    return found


def _value(node):
    if isinstance(node, ast.Call):
        if getattr(node.func, 'id', None) != 'dict' or node.args:
            raise ValueError(f'line {node.lineno} calls something')
        found = {}
        for keyword in node.keywords:
            value = _value(keyword.value)
            found.update(value if keyword.arg is None else {keyword.arg: value})
        return found
    if isinstance(node, (ast.List, ast.Tuple)):
        items = [_value(item) for item in node.elts]
        return tuple(items) if isinstance(node, ast.Tuple) else items
    if isinstance(node, ast.Dict):
        return {_value(key): _value(value) for key, value in zip(node.keys, node.values)}
    return ast.literal_eval(node)


def load_images(
    spec, count: int, size, channels: int = 3, seed: int | None = None, smallest: int = 1
) -> Tensor:
    """Central crops of ``count`` images.

    Args:
        spec: What :func:`mmmim.datasets.sources.find_images` takes: a folder, a glob, a list ...
        count: How many at most.
        size: Side, or (height, width), of the crops in pixels; images are resized to cover it.
        channels: Of the images: see :func:`mmmim.datasets.pixel_format.fit`.
        seed: None spreads the images evenly over the list, a number draws them.
        smallest: Least side of an image in the file, such as a patch.

    Returns:
        (N, C, H, W) uint8; images of no use are left out, and named in a warning.

    Raises:
        ValueError: If no image can be read with these channels and is as large as ``smallest``.
    """
    size = (size, size) if isinstance(size, int) else tuple(size)
    check_size(size, smallest)
    source = find_images(os.fspath(spec))
    form = PixelFormat(channels)
    chosen = pick(len(source), count, seed)
    images = readable(lambda index: _read(source, index, form, smallest), chosen)
    return torch.stack([cover(image, size) for image in images])


def _read(source, index: int, form: PixelFormat, smallest: int) -> Tensor:
    try:
        image = decode(source.read(index), form)
    except ImageError as error:
        raise ImageError(f'{source.full(index)}: {error}.') from error
    check_pixels(source.full(index), image, smallest)
    return image


def cover(image: Tensor, size: tuple[int, int]) -> Tensor:
    """Resize, keeping the aspect, until ``size`` is covered, and cut the middle: (C, *size)."""
    (height, width), (h, w) = image.shape[1:], size
    scale = max(h / height, w / width)
    new = max(h, round(height * scale)), max(w, round(width * scale))
    if new != (height, width):
        image = F.interpolate(image[None], size=new, mode='bicubic', antialias=True)[0]
    top, left = (new[0] - h) // 2, (new[1] - w) // 2
    return image[:, top : top + h, left : left + w].contiguous()


def normalise(model: nn.Module, images: Tensor) -> Tensor:
    """Pixels as the encoder takes them, on the device of the model.

    Args:
        model: With ``data_preprocessor``: ours, or that of a classifier.
        images: (N, C, H, W) uint8; grey ones for an encoder behind a corruption that takes the
            colour away.

    Returns:
        (N, C, H, W) float32.
    """
    device = next(model.parameters()).device
    images = images.to(device, torch.float32)
    mean = getattr(model.data_preprocessor, 'mean', None)
    if mean is None:
        return images
    mean, std = (
        value.to(device).view(1, -1, 1, 1) for value in (mean, model.data_preprocessor.std)
    )
    if images.shape[1] == 1:
        mean, std = (value.mean(dim=1, keepdim=True) for value in (mean, std))
    return (images - mean) / std

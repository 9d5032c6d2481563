"""Continue pre-training from weights that another run, or another project, has made."""

import os

import torch
from mmengine.hooks import Hook
from mmengine.logging import print_log

from mmmim.registry import HOOKS

from ..checkpoints.snapshot import plain_model
from ..errors import ConfigError


@HOOKS.register_module()
class InitFromHook(Hook):
    """Weights of a file after initialisation and before the first step; nothing follows that would
    initialise them again, and a resumed run keeps its own.

    The encoder may have any layout and size that the loader reads and fits, with or without
    decoder. Optimizer, schedule and epoch start anew; momentum encoders start from what was loaded.

    Args:
        path (str): File or URL.
        min_matched (float): See :func:`mmmim.load_pretrained`.

    Raises:
        ConfigError: If there is no such file.
    """

    priority = 'VERY_HIGH'

    def __init__(self, path, min_matched=0.95):
        if os.path.isdir(path):
            raise ConfigError(
                f'--init-from {path} is a folder: name a file in it, such as encoder.pth, or '
                'epoch_N.pth for the decoder too.'
            )
        if '://' not in path and not os.path.isfile(path):
            raise ConfigError(f'--init-from {path}: there is no such file.')
        self.path, self.min_matched = path, min_matched

    def before_train(self, runner):
        if runner.iter == 0 and not getattr(runner, '_resume', False):
            trust = runner.cfg.get('trust_checkpoint', False)
            init_from(plain_model(runner), self.path, self.min_matched, allow_pickle=trust)


def check_weights(cfg, path, allow_pickle=False):
    """Refuse a file whose encoder is another one than the config's, before images are looked at.

    Args:
        cfg (Config): Its backbone is built without memory.
        path (str): File or URL.
        allow_pickle (bool): Unpickle whatever the file holds.

    Raises:
        ConfigError: If there is no such file, it is no checkpoint of a known layout, or width,
            depth or patches differ.
    """
    from mmmim.registry import MODELS
    from mmmim.transfer import read_encoder
    from mmmim.transfer.report import size_differences

    if not cfg.model.get('backbone'):
        raise ConfigError('--init-from: the model of this config has no backbone.')
    InitFromHook(path)
    try:
        state = read_encoder(path, allow_pickle=allow_pickle)[0]
    except ValueError as error:
        raise ConfigError(f'--init-from: {error}') from error
    with torch.device('meta'):
        backbone = MODELS.build(cfg.model.backbone)
    differing = size_differences(state, backbone.state_dict())
    if getattr(backbone, 'patch_resize', False):
        differing = [text for text in differing if not text.startswith('patch_size')]
    if differing:
        raise ConfigError(
            f'--init-from {path} does not fit the encoder of this run: {"; ".join(differing)}. '
            'Choose the same with --model and --preset, or another file.'
        )


def init_from(model, path, min_matched=0.95, allow_pickle=False):
    """Load the encoder, and whatever else of a file has its place and shape in the model.

    Args:
        model (nn.Module): Self-supervisor with ``backbone``; changed in place.
        path (str): File or URL.
        min_matched (float): See :func:`mmmim.load_pretrained`.
        allow_pickle (bool): Unpickle whatever the file holds.

    Returns:
        LoadReport: Of the encoder.

    Raises:
        ValueError: If the encoder does not fit.
    """
    from mmmim.models.momentum import MomentumEncoder
    from mmmim.transfer import load_pretrained

    report = load_pretrained(model.backbone, path, min_matched, allow_pickle=allow_pickle)
    print_log(_load_rest(model, path, allow_pickle), logger='current')
    for part in model.modules():
        if isinstance(part, MomentumEncoder):
            part.init_weights()
    return report


def _load_rest(model, path, allow_pickle):
    """Decoder, mask token and heads; the sentence that says what was found."""
    from mmmim.transfer.whole_model import whole_state

    own = {k: v for k, v in model.state_dict().items() if _is_rest(k)}
    try:
        state = whole_state(path, allow_pickle=allow_pickle)
    except ValueError:
        state = {}
    found = {k: v for k, v in state.items() if k in own and v.shape == own[k].shape}
    model.load_state_dict(found, strict=False)
    if not own:
        return 'beside the encoder: nothing to load.'
    if not found:
        return f'beside the encoder: {path} holds none of {len(own)} tensors, which start anew.'
    new = [name for name in own if name not in found]
    told = f'; starting anew: {", ".join(new[:4])}{" ..." * (len(new) > 4)}' if new else ''
    return f'beside the encoder: loaded {len(found)}/{len(own)}{told}.'


def _is_rest(name):
    """Whether a tensor is trained beside the encoder; fixed tables follow from the config."""
    if name.endswith('mask_token'):
        return True
    first, last = name.split('.')[0], name.split('.')[-1]
    constants = ('backbone', 'data_preprocessor', 'target', 'corruption')
    return not first.startswith('momentum') and first not in constants and last != 'pos_embed'

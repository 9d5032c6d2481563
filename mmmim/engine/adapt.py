"""Make a config fit the command line and the machine."""

import torch

from .errors import ConfigError

AMP = 'mmmim.AmpOptimWrapper'


def merge_train_options(cfg, args):
    """Enter the options of training into the config.

    Args:
        cfg (Config): Changed in place.
        args (Namespace): ``resume``, ``amp``, ``pretrained``, ``seed``, ``no_validate``.

    Raises:
        ConfigError: If the config does not train, or has no backbone to load.
    """
    missing = [
        k for k in ('model', 'train_cfg', 'train_dataloader', 'optim_wrapper') if not cfg.get(k)
    ]
    if missing:
        raise ConfigError(f'{cfg.filename} has no {missing[0]}: it cannot be trained.')
    if not isinstance((cfg.optim_wrapper.get('optimizer') or {}).get('lr'), (int, float)):
        raise ConfigError(f'{cfg.filename}: optim_wrapper.optimizer needs a literal lr.')
    if args.amp:
        cfg.optim_wrapper.type = AMP
    if args.resume is not None:
        cfg.resume = True
        cfg.load_from = None if args.resume == 'auto' else args.resume
    if args.seed is not None:
        cfg.setdefault('randomness', {})
        cfg.randomness = dict(cfg.randomness, seed=args.seed)
    if args.pretrained is not None:
        if not cfg.model.get('backbone'):
            raise ConfigError('--pretrained: the model of this config has no backbone.')
        cfg.model.backbone.pretrained = args.pretrained
    if args.no_validate:
        cfg.val_cfg = cfg.val_dataloader = cfg.val_evaluator = None


def adapt_to_device(cfg):
    """Replace what needs a GPU, and hooks that would not count accumulation."""
    wrapper = cfg.get('optim_wrapper')
    has_gpu = torch.cuda.is_available()
    if wrapper and not has_gpu and wrapper.get('type') == 'AmpOptimWrapper':
        wrapper.type = AMP  # mmengine's refuses CPUs
        if wrapper.get('dtype') == 'float16':
            wrapper.dtype = 'auto'
    hooks = cfg.setdefault('default_hooks', {})
    scheduler = hooks.get('param_scheduler') or {}
    if scheduler.get('type', 'ParamSchedulerHook') == 'ParamSchedulerHook':
        hooks['param_scheduler'] = dict(scheduler, type='mmmim.ParamSchedulerHook')
    for section in ('train', 'val', 'test'):
        loader = cfg.get(f'{section}_dataloader')
        if isinstance(loader, dict):
            loader.setdefault('pin_memory', has_gpu)
            if not has_gpu:
                loader.pin_memory = False  # torch warns at each start of a loader

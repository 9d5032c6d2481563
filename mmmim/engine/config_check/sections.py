"""Sections of a config that must be dicts, looked at before anything reads them."""

_DICTS = (
    'model',
    'data_preprocessor',
    'train_dataloader',
    'train_dataloader.sampler',
    'train_dataloader.batch_sampler',
    'train_dataloader.dataset',
    'val_dataloader',
    'test_dataloader',
    'optim_wrapper',
    'optim_wrapper.optimizer',
    'optim_wrapper.paramwise_cfg',
    'train_cfg',
    'auto_scale_lr',
    'default_hooks',
    'env_cfg',
    'randomness',
)


def wrong_sections(cfg):
    """Sentences about sections that hold something else than a dict; None stands for absent."""
    problems = []
    for path in _DICTS:
        node = cfg
        for key in path.split('.'):
            node = node.get(key) if hasattr(node, 'get') else None
        if node is not None and not isinstance(node, dict):
            problems.append(f'{path} is {node!r}: it must be a dict.')
    return problems

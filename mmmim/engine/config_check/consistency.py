"""Parts of a config that contradict each other."""

from ..batch import counts_iterations


def contradictions(cfg):
    """Sentences about intervals counted in a unit that the loop does not have."""
    train_cfg = cfg.get('train_cfg') or {}
    checkpoint = (cfg.get('default_hooks') or {}).get('checkpoint') or {}
    if checkpoint.get('interval', -1) <= 0:
        return []
    by_epoch = checkpoint.get('by_epoch', True)
    if by_epoch and counts_iterations(train_cfg):
        return [
            'default_hooks.checkpoint counts epochs, but train_cfg counts iterations, so that '
            'nothing would be saved before the end: set its by_epoch=False and interval.'
        ]
    return []

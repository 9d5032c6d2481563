"""Pre-training on images of one's own: found, looked at, reported and entered into the config."""

import os

from mmmim.datasets.channel_stats import SAMPLE, ChannelStats, channel_stats, load_stats
from mmmim.datasets.pixel_format import RGB
from mmmim.datasets.shards import ShardTable
from mmmim.datasets.shared_memory import usable_memory
from mmmim.datasets.sources import find_images
from mmmim.datasets.survey import survey

from .errors import ConfigError
from .image_shape import set_pixels, set_size

UNLABELLED = ('mmmim.ImageFolder', 'mmmim.ImageSubset')
WATCHING = ('mmmim.ReconstructionHook', 'mmmim.HoldoutHook')
FROM_DATA = 'data'
_CACHE_SHARE = 0.25  # of the memory, for data nobody planned the cache for


def use_images(
    cfg, data=None, data_root=None, channels=None, bits=None, stats=None, size=None
) -> list[str]:
    """Enter images into a pre-training config.

    Args:
        cfg (Config): Changed in place.
        data: What :func:`mmmim.datasets.sources.find_images` takes; None keeps the config's.
        data_root: Folder that the paths of a list or COCO file start from.
        channels: To read, instead of what the images have.
        bits: 8 or 16, likewise.
        stats: File of tools/misc/dataset_stats.py, or 'data' to take mean and std of a sample. By
            default RGB of 8 bits keeps the config's, and other images get their own.
        size: (H, W) or (side,) of the encoder's input.

    Returns:
        The report for the user, lines of at most 80 characters or so.

    Raises:
        ConfigError: If the config takes labelled data, there are no images, or they do not fit.
    """
    if data is None and (channels, bits, stats, size, data_root) == (None,) * 5:
        return []
    dataset = cfg.train_dataloader.get('dataset') or {}
    if dataset.get('type') not in UNLABELLED:
        raise ConfigError(
            f'--data is for pre-training; this config reads labelled data ({dataset.get("type")}): '
            'set train_dataloader.dataset with --cfg-options.'
        )
    lines = []
    if size is not None:
        pair = (size[0], size[0]) if len(size) == 1 else tuple(size)
        lines += [f'size       crops of {pair[0]}x{pair[1]}', *set_size(cfg, pair)]
    if data is not None:
        _point_to(dataset, data, data_root)
        lines += _watch_these(cfg)
    try:
        source = find_images(dataset.data_root, dataset.get('files'))
        return _describe(cfg, dataset, source, channels, bits, stats) + lines
    except ConfigError:
        raise
    except ValueError as error:
        raise ConfigError(str(error)) from error


def _point_to(dataset, data, data_root) -> None:
    """Another place of the images; what the config says of its own is dropped."""
    for key in ('files', 'classes'):
        dataset.pop(key, None)
    dataset.data_root = os.fspath(data_root if data_root is not None else data)
    if data_root is not None:
        dataset.files = os.path.abspath(os.path.expanduser(os.fspath(data)))


def _watch_these(cfg) -> list[str]:
    """Hooks that look at images of the config's own data look at these instead."""
    hooks = [*(cfg.get('default_hooks') or {}).values(), *(cfg.get('custom_hooks') or [])]
    named = [
        (hook, key)
        for hook in hooks
        if hook and hook.get('type') in WATCHING
        for key in ('images', 'train', 'test')
        if hook.get(key)
    ]
    for hook, key in named:
        hook.pop(key)
    if not named:
        return []
    return ["watched    these images, without labels, instead of the config's hold-out"]


def _describe(cfg, dataset, source, channels, bits, stats) -> list[str]:
    if isinstance(source, ShardTable) and dataset.type != UNLABELLED[0]:
        raise ConfigError(f'{dataset.type} chooses among files: unpack the shards into a folder.')
    seen = survey(source)
    form = seen.choose(channels, bits)
    lines = seen.lines()
    what = {1: 'grey', 3: 'RGB'}.get(form.channels, f'{form.channels} channels')
    lines.append(f'read as    {what}, {form.bits} bits')
    lines += [f'           {done}' for done in seen.conversions(form)]
    lines += _statistics(cfg, source, form, stats)
    dataset.channels, dataset.bits = form
    lines += _cache(dataset, seen, form) + _repeat(cfg, dataset, len(source))
    return lines


def _statistics(cfg, source, form, stats) -> list[str]:
    """Choose mean and std, enter them, and say which and why."""
    found: ChannelStats
    if stats not in (None, FROM_DATA):
        found, place = load_stats(stats, form.channels), stats
    else:
        found = channel_stats(source, form, SAMPLE)
        place = f'whole images, {found.images} of {found.of}'
    numbers = [
        f'{name:<11}' + ' '.join(f'{value:.2f}' for value in values[:12])
        for name, values in (('mean', found.mean), ('std', found.std))
    ]
    numbers[1] += f'  (0 to 255; {place})'
    if found.images < min(SAMPLE, len(source)) and place != stats:
        missing = min(SAMPLE, len(source)) - found.images
        numbers.append(f'           {missing} of these images cannot be decoded: skipped by name')
    if form == RGB and stats is None:
        return [*numbers, "           the config's are used (--stats data: these)"]
    set_pixels(cfg, form, found.mean, found.std)
    lines = [*numbers, '           these are used']
    if form.bits == 16 and found.high < 2**13:
        lines.append(f'           values reach {found.high} of 65535 only')
    return lines


def _cache(dataset, seen, form) -> list[str]:
    """Drop a cache in memory that was meant for another, smaller set."""
    if not dataset.get('cache'):
        return []
    area = sum(header.height * header.width for header in seen.headers) / len(seen.headers)
    need = area * seen.count * form.channels * form.bits / 8
    if need < _CACHE_SHARE * usable_memory():
        return []
    dataset.cache = None
    return [f'cache      none: decoded images would take {need / 2**30:.0f} GiB']


def _repeat(cfg, dataset, count: int) -> list[str]:
    """Repeat images that are fewer than an update takes, else an epoch would have no update."""
    loader = cfg.train_dataloader
    together = loader.get('batch_size', 1) * int(os.environ.get('WORLD_SIZE', 1))
    together *= (cfg.get('optim_wrapper') or {}).get('accumulative_counts', 1)
    together = max(together, (cfg.get('auto_scale_lr') or {}).get('base_batch_size', 1))
    if count >= together or dataset.type != UNLABELLED[0]:
        return []
    dataset.repeat = -(-together // count)
    return [
        f'epoch      each image {dataset.repeat} times, with crops and masks of its own:',
        f'           an update takes {together}',
    ]

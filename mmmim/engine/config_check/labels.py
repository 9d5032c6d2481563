"""Label maps must hold the classes of the model, and nothing else: a step would die of it on a CPU,
take the GPU down with it, or, in an evaluation, leave pixels out in silence.
"""

import random
import sys

from mmengine.registry import DATASETS, DefaultScope

from mmmim.datasets.label_maps import check_files, label_problem

from ..environment import is_speaker

# A made-up map of 512 x 683 took 1.2 ms of processor time: ADE20K's 22210 about half a minute.
SECONDS = 60


def wrong_labels(cfg, sections, seconds=SECONDS):
    """Sentences about label maps that are missing, unreadable or hold unknown labels.

    Every map is looked at, in an order drawn once, for at most ``seconds`` per data set; a line
    says where that was not enough. The first process of a node reads for all.

    Args:
        cfg (Config): The config of a segmentor; others have no such maps.
        sections (Sequence[str]): ``'train'``, ``'val'``, ``'test'``.
        seconds (float): See above.
    """
    model = cfg.get('model') or {}
    head = (model.get('module') or model).get('decode_head')  # inside a model of several views
    head = head[-1] if isinstance(head, (list, tuple)) and head else head
    if cfg.get('default_scope') != 'mmseg' or not isinstance(head, dict) or not is_speaker():
        return []
    if not isinstance(head.get('num_classes'), int):
        return []
    problems, seen = [], []
    for section in sections:
        loader = cfg.get(f'{section}_dataloader')
        for dataset in leaves(loader.get('dataset') if isinstance(loader, dict) else None):
            place = {key: value for key, value in dataset.items() if key != 'pipeline'}
            if place not in seen:
                seen.append(place)
                problems += _check(place, cfg, head, f'{section}_dataloader', seconds)
    return problems


def leaves(dataset):
    """The data sets with label maps inside wrappers such as ConcatDataset and RepeatDataset."""
    if isinstance(dataset, (list, tuple)):
        return [leaf for item in dataset for leaf in leaves(item)]
    if not isinstance(dataset, dict):
        return []
    inner = [leaf for key in ('dataset', 'datasets') for leaf in leaves(dataset.get(key))]
    has_maps = (dataset.get('data_prefix') or {}).get('seg_map_path') is not None
    local = (dataset.get('backend_args') or {}).get('backend') in (None, 'local', 'disk')
    return inner + ([dataset] if has_maps and local else [])


def _check(place, cfg, head, where, seconds):
    """At most one sentence about a data set."""
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        dataset = DATASETS.build(dict(place, pipeline=[]))
    infos = [dataset.get_data_info(index) for index in range(len(dataset))]
    random.Random(0).shuffle(infos)
    settings = {info['seg_map_path']: info for info in infos}

    def problem(path):
        info = settings[path]
        return label_problem(
            path,
            head['num_classes'],
            reduce_zero_label=info.get('reduce_zero_label', False),
            label_map=info.get('label_map'),
            ignore_index=head.get('ignore_index', 255),
        )

    found, checked = check_files(settings, problem, seconds)
    if not found:
        if checked < len(settings):
            print(
                f'{where}: {checked} of {len(settings)} label maps checked in {seconds:.0f} s, '
                'all in order.',
                file=sys.stderr,
            )
        return []
    path = min(found)
    return [
        f'{where}: {len(found)} of {checked} label maps are not in order, the first: {path} '
        f'{found[path]} (model.decode_head.num_classes is {head["num_classes"]}, '
        f'reduce_zero_label is {settings[path].get("reduce_zero_label", False)}): correct the '
        'files, the number of classes or reduce_zero_label.'
    ]

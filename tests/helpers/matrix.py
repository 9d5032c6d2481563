"""Which analysis tool works on which method, on images of which kind; found out by calling them."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from mmengine.config import Config
from mmengine.registry import DefaultScope
from PIL import Image

from mmmim.datasets.pixel_format import PixelFormat
from mmmim.engine.errors import ConfigError
from mmmim.engine.image_shape import set_pixels, set_size

from . import configs, data, tiny, tools

LABELS = 'labels'  # stands for the folder of label maps
# Tool -> file and options that keep it quick.
TOOLS = {
    'reconstruct': ('reconstruct.py', '--count', 2),
    'regressor skipped': ('reconstruct.py', '--count', 2, '--skip-regressor'),
    'psnr': ('psnr.py', '--count', 2, '--num-workers', 0),
    'corruptions': ('corruptions.py', '--count', 2),
    'cka': ('cka.py', '--count', 8, '--batch-size', 8, '--ratios', 0.5),
    'spectrum': ('spectrum.py', '--count', 2),
    'attention': ('attention.py', '--count', 2),
    'attention of patches': ('attention.py', '--count', 2, '--query', 'patches'),
    'locality': ('locality.py', '--count', 2),
    'tsne': ('tsne.py', '--count', 4, '--points', 60, '--labels', LABELS),
}
WITHOUT_MODEL = ('corruptions',)  # a config is all they take
# Files of tools/analysis that are no column, and why.
OTHERS = {
    'losses.py': 'reads the logs of any training',
    'report.py': 'reads what any training left',
    'predictions.py': 'takes detectors and segmentors',
    'masks_and_crops.py': 'takes no model',
    'scenes_figures.py': 'trains what it draws',
    'frozen_probe.py': 'takes labelled images; any encoder as a file',
}
KINDS = ('square', 'not square', '1 channel', '4 channels')
SIZE = (4, 6)  # cells, where images are not square
# What a refusal means: letter, pattern of the sentence, and the line below the table.
REFUSALS = (
    ('a', r'has no decoder|cannot be drawn|vectors|prototypes', 'predicts no pixels'),
    ('b', r'has no regressor', 'has no regressor'),
    ('c', r'has no model\.corruption', 'corrupts nothing: its views are augmented'),
    ('d', r'works on RGB', 'a part of the method works on RGB'),
    ('e', r'tokenizer of this config reads 3 channels', 'the tokenizer reads RGB'),
    ('f', r'statistics of RGB', 'the target has statistics of RGB'),
    ('g', r'no attention among all patches', 'attends within windows'),
    ('h', r'no transformer blocks', 'convolutions, no transformer blocks'),
    ('i', r'no class token', 'no class token to ask: ask the patches'),
)


@dataclass(frozen=True)
class Method:
    """A row: one of all configs that have the same parts.

    Attributes:
        name: First word of a config's name.
        entry: Its tiny copy.
        others: First words of the others.
    """

    name: str
    entry: tiny.Tiny
    others: tuple[str, ...] = ()


def parts_of(model) -> str:
    """What decides whether tools could behave otherwise: types, not sizes."""
    types = re.findall(r"'type': '([\w.]+)'", repr(json.loads(json.dumps(model))))
    places = [kind for kind in types if kind.endswith(('ZoomIn', 'ZoomOut', 'Decolor', 'Filling'))]
    target = model.get('target') or {}
    kinds = [(model.get(part) or {}).get('type') for part in ('backbone', 'neck')]
    tokenizer = (target.get('tokenizer') or {}).get('type')
    return repr([model.get('type'), *kinds, target.get('type'), tokenizer, sorted(places)])


@cache
def methods() -> tuple[Method, ...]:
    """One row per kind of method, under the shortest name that it has."""
    groups: dict[str, list[tiny.Tiny]] = {}
    for entry in tiny.tinies('pretraining'):
        groups.setdefault(parts_of(entry.cfg.model), []).append(entry)
    named = [(_words(entries), _named_first(entries)) for entries in groups.values()]
    named.append((['deit'], _supervised()))
    taken = [words[0] for words, _ in named]
    rows = []
    for words, entry in named:
        name = words[0]
        if taken.count(name) > 1:
            name += f' ({_apart(entry.cfg.model)})'
        rows.append(Method(name, entry, tuple(words[1:])))
    return tuple(sorted(rows, key=lambda row: row.name))


def _words(entries) -> list[str]:
    """First words of the configs' names, those of the papers first, short ones first."""
    names = [name for entry in entries for name in entry.names]
    first = {name: Path(name).name.split('_')[0] for name in names}
    plain = {word for name, word in first.items() if 'mix' not in name}
    words = {word for word in first.values() if not word.startswith('mix-')}
    return sorted(words, key=lambda word: (word not in plain, len(word), word))


def _named_first(entries) -> tiny.Tiny:
    """The entry that gives the row its name: plain MAE, not one with stronger augmentation."""
    word = _words(entries)[0]
    found = [e for e in entries if any(Path(n).name.split('_')[0] == word for n in e.names)]
    return found[0]


def _apart(model) -> str:
    """What tells rows of one name apart."""
    tokenizer = ((model.get('target') or {}).get('tokenizer') or {}).get('type')
    return (tokenizer or model.backbone.type).rpartition('.')[2]


def _supervised() -> tiny.Tiny:
    """The baseline that is trained with labels."""
    path = sorted((configs.CONFIGS / 'deit').glob('*.py'))[0]
    key = json.dumps(tiny.shrink(configs.load(path)), sort_keys=True)
    return tiny.Tiny((configs.name(path),), key)


@cache
def images_of(kind: str, folder: Path) -> Path:
    """A folder of eight images of the kind."""
    folder = folder / f'images {kind}'
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    channels = int(kind[0]) if kind[0].isdigit() else 3
    for index in range(8):
        pixels = rng.integers(0, 256, (140, 190, channels), dtype=np.uint8)
        if channels == 4:
            np.save(folder / f'{index}.npy', pixels)
        else:
            Image.fromarray(pixels.squeeze()).save(folder / f'{index}.png')
    return folder


def labels_of(kind: str, folder: Path) -> Path:
    """Label maps of the images: a class on the left, another on the right."""
    images, folder = images_of(kind, folder), folder / f'labels {kind}'
    folder.mkdir(exist_ok=True)
    for path in images.iterdir():
        values = np.zeros((140, 190), np.uint8)
        values[:, 95:] = 1
        Image.fromarray(values).save(folder / f'{path.stem}.png')
    return folder


@cache
def config_of(method: Method, kind: str, folder: Path) -> Path:
    """The tiny config of a method for images of a kind.

    Raises:
        ConfigError: If the method does not take such images.
    """
    small = method.entry.cfg
    cfg = Config(
        dict(
            model=small.model,
            default_scope=small.default_scope,
            train_dataloader=dict(dataset=small.dataset),
        )
    )
    if small.get('data_preprocessor'):
        cfg.data_preprocessor = small.data_preprocessor
    if kind == 'not square':
        side, cell = tiny.place(cfg.model)
        with DefaultScope.overwrite_default_scope(cfg.default_scope):
            set_size(cfg, tuple(count * cell for count in SIZE))
    elif kind != 'square':
        channels = int(kind[0])
        set_pixels(cfg, PixelFormat(channels), [120.0] * channels, [60.0] * channels)
        cfg.train_dataloader.dataset.channels = channels
    cfg.model = data.tiny_model(cfg, folder)
    path = folder / f'{method.name} {kind}.py'
    content = cfg.to_dict()
    path.write_text('\n'.join(f'{key} = {value!r}' for key, value in content.items()))
    return path


def outcome(method: Method, tool: str, kind: str, folder: Path) -> str:
    """Empty if the tool works, else the sentence that it ended with."""
    try:
        config = config_of(method, kind, folder)
    except ConfigError as error:
        return f'error: {error}'
    file, *options = TOOLS[tool]
    options = [labels_of(kind, folder) if word == LABELS else word for word in options]
    weights = () if tool in WITHOUT_MODEL else ('random',)
    where = ('--images', images_of(kind, folder), '--out', folder / 'out')
    return tools.call(f'analysis/{file}', config, *weights, *where, *options) or ''


def letter(sentence: str) -> str:
    """The letter of a refusal; a sentence that none is known for stays as it is."""
    if not sentence:
        return 'yes'
    found = [sign for sign, pattern, _ in REFUSALS if re.search(pattern, sentence)]
    return found[0] if found and sentence.count('\n') == 0 else sentence


def cell(outcomes: dict[str, str]) -> str:
    """Text of a cell: letters by kind of image, once if all are equal."""
    letters = {kind: letter(outcomes[kind]) for kind in KINDS}
    if len(set(letters.values())) == 1:
        return letters['square']
    rest = [f'{kind}: {sign}' for kind, sign in letters.items() if sign != letters['square']]
    return '; '.join([letters['square'], *rest])


def table(folder: Path) -> str:
    """The whole matrix as Markdown."""
    lines = ['| method | ' + ' | '.join(TOOLS) + ' |', '|---' * (len(TOOLS) + 1) + '|']
    used = set()
    for method in methods():
        cells = [
            cell({kind: outcome(method, tool, kind, folder) for kind in KINDS}) for tool in TOOLS
        ]
        used |= {word for text in cells for word in re.findall(r'\b[a-z]\b', text)}
        lines.append(f'| {method.name} | ' + ' | '.join(cells) + ' |')
    notes = [f'- {sign}: {text}' for sign, _, text in REFUSALS if sign in used]
    shared = [f'- {row.name}: {", ".join(row.others)}' for row in methods() if row.others]
    return '\n'.join([*lines, '', *notes, '', 'Configs that share a row:', '', *shared])


def read(page: str) -> dict[tuple[str, str], str]:
    """(method, tool) to the text of its cell, from the first such table of a page.

    Raises:
        ValueError: If the page has none.
    """
    lines = page.splitlines()
    start = next((i for i, line in enumerate(lines) if line.startswith('| method |')), None)
    if start is None:
        raise ValueError('the page has no table of methods: python tools/misc/analysis_matrix.py')
    head, *rows = [
        [word.strip() for word in line.strip('|').split('|')]
        for number, line in enumerate(lines[start:])
        if line.startswith('|') and number != 1
    ]
    return {(row[0], tool): text for row in rows for tool, text in zip(head[1:], row[1:])}

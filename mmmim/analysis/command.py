"""What the command lines of tools/analysis have in common."""

from __future__ import annotations

import argparse
import re
import shlex
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

_NAMED = re.compile(r'([^=/\\]+)=(.+)')


class Source(NamedTuple):
    """One model on the command line.

    Attributes:
        name: Shown in legends and headings.
        config: Config file, checkpoint or work directory.
        checkpoint: Weights for a config file, 'random' among them; None without a config file.
    """

    name: str
    config: str
    checkpoint: str | None

    @property
    def file(self) -> str:
        """The checkpoint, or what stands for it."""
        return self.config if self.checkpoint in (None, 'random') else self.checkpoint


def analysis_parser(doc: str) -> argparse.ArgumentParser:
    """A parser whose help is the docstring of the tool."""
    return argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )


def models_on_images(doc: str, count: int) -> argparse.ArgumentParser:
    """The parser of a tool that shows ``count`` images, unless told otherwise, to models."""
    parser = analysis_parser(doc)
    add_models(parser)
    add_images(parser, count=count)
    add_common(parser)
    return parser


def add_models(parser, several: bool = True) -> None:
    """Models by place: checkpoints or work directories, or configs each with its weights."""
    from mmmim.engine.options import OptionsAction

    parser.add_argument(
        'models',
        nargs='+' if several else '*',
        metavar='[NAME=]CHECKPOINT | [NAME=]CONFIG CHECKPOINT',
        help='a checkpoint or work directory of this toolkit; or a config followed by any '
        "checkpoint that fits it, or by the word 'random'",
    )
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=OptionsAction,
        default={},
        metavar='KEY=VALUE',
        help='change the config, e.g. model.corruption.mask_ratio=0.5',
    )


def add_images(parser, count: int, required: bool = True) -> None:
    """What is shown to the models."""
    add = parser.add_argument
    add('--images', required=required, help='folder, glob or list (.txt, .csv) of images')
    add('--count', type=positive, default=count, help=f'images to take (default: {count})')
    add(
        '--size',
        type=positive,
        nargs='+',
        metavar='SIDE',
        help="of the crops in pixels: SIDE, or HEIGHT WIDTH (default: the model's)",
    )


def add_common(parser) -> None:
    """Where results go, and what chance and hardware are used."""
    add = parser.add_argument
    add('--out', help='folder to write to (default: analysis/ beside the first checkpoint)')
    add('--seed', type=int, default=0, help='of everything that is drawn (default: 0)')
    add('--device', help='default: the GPU if there is one')


def positive(text: str) -> int:
    """A whole number of at least 1, as the ``type`` of an option."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f'{value} is not positive')
    return value


def parse_models(parser, words: Sequence[str]) -> list[Source]:
    """Words of :func:`add_models` to models; ends the program if they do not pair up."""
    found, pending = [], None
    for word in words:
        match = _NAMED.fullmatch(word)
        name, path = match.groups() if match else (None, word)
        if pending is not None:
            if match or path.endswith('.py'):
                parser.error(f'{pending[1]} needs a checkpoint behind it, or the word random')
            found.append(Source(pending[0], pending[1], path))
            pending = None
        elif path.endswith('.py'):
            pending = (name, path)
        elif path == 'random':
            parser.error('random needs a config before it')
        else:
            found.append(Source(name, path, None))
    if pending is not None:
        parser.error(f'{pending[1]} needs a checkpoint behind it, or the word random')
    found = _with_names(found)
    names = [source.name for source in found]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        parser.error(f'two models are called {twice}: give them names, A=... B=...')
    return found


def _with_names(sources: list[Source]) -> list[Source]:
    """Those without a name get the shortest that tells them apart: folder, or folder and file."""
    plain = [source.name or _folder_name(source) for source in sources]
    full = [source.name or f'{_folder_name(source)}/{Path(source.file).stem}' for source in sources]
    return [
        source._replace(name=short if plain.count(short) == 1 else long)
        for source, short, long in zip(sources, plain, full)
    ]


def _folder_name(source: Source) -> str:
    path = Path(source.file)
    if source.checkpoint == 'random':
        return f'random {path.stem.split("_")[0]}'
    if path.suffix:
        return path.resolve().parent.name or path.stem
    return path.name


def size_of(words: Sequence[int] | None) -> tuple[int, int] | None:
    """``--size`` as (height, width).

    Raises:
        ValueError: If it has more than two numbers.
    """
    if words is None:
        return None
    if len(words) > 2:
        raise ValueError(f'--size takes SIDE or HEIGHT WIDTH, got {list(words)}.')
    return (words[0], words[-1])


def out_folder(out: str | None, sources: Sequence[Source]) -> Path:
    """``--out``, or ``analysis`` in the work directory of the first checkpoint."""
    if out:
        return Path(out)
    path = Path(sources[0].file)
    return (path if path.is_dir() else path.parent) / 'analysis'


def pick_device(name: str | None) -> str:
    """``--device``, else the GPU if there is one.

    Raises:
        ValueError: If there is no such device.
    """
    import torch

    if name is None:
        return 'cuda' if torch.cuda.is_available() else 'cpu'
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        first = str(error).splitlines()[0]
        raise ValueError(f'--device {name} cannot be used: {first}') from error
    return name


def command_line(argv: Sequence[str] | None = None) -> str:
    """The command as it could be typed again."""
    words = sys.argv if argv is None else [sys.argv[0], *argv]
    return shlex.join(['python', *map(str, words)])


def _check_place(out) -> None:
    from mmmim.engine.disk import require_place, require_writable

    if out:
        (require_place if Path(out).suffix == '.json' else require_writable)(out, option='--out')


def told(action: Callable, *args):
    """Run ``action``; errors that a user can mend end the program with one sentence.

    Where the first of ``args`` has an ``out``, it must be a place that can be written.
    """
    try:
        _check_place(getattr(args[0], 'out', None) if args else None)
        return action(*args)
    except Exception as error:
        from mmmim.engine.errors import UserError

        if not isinstance(error, (UserError, ValueError, OSError)):
            raise
        sys.exit(f'error: {error}')

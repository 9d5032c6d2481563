"""``mmmim.pretrain``: what tools/train.py does, called from Python."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from .catalogue import default_config, list_models, unknown


@dataclass(frozen=True)
class Pretrained:
    """What a pre-training left behind.

    Attributes:
        encoder: Path of ``encoder.pth``, for :func:`mmmim.load_encoder`.
        config: Path of the resolved config, for tools/train.py.
        out: The folder of both, of checkpoints and logs.
    """

    encoder: str
    config: str
    out: str

    def load(self, **options):
        """The encoder; see :func:`mmmim.load_encoder`."""
        from .encoder import load_encoder

        return load_encoder(self.encoder, **options)


def pretrain(
    method: str = 'mae',
    data: str | os.PathLike | None = None,
    out: str | os.PathLike = 'work_dirs/pretrain',
    model: str | None = None,
    size: int | tuple[int, int] | None = None,
    epochs: int | None = None,
    preset: str | list[str] | None = None,
    memory: float | None = None,
    batch_size: int | None = None,
    init_from: str | os.PathLike | None = None,
    seed: int | None = None,
    amp: bool = False,
    resume: bool = False,
    config: str | os.PathLike | None = None,
    **options: Any,
) -> Pretrained:
    """Pre-train an encoder on images without labels, in this process.

    The same config as ``tools/train.py CONFIG --data DATA ...`` is built, and written resolved
    into ``out``.

    Args:
        method: One of :func:`mmmim.list_methods`.
        data: Folder, glob, list, COCO .json or .tar shards; None keeps that of the config.
        out: Folder to write.
        model: One of :func:`mmmim.list_models`, such as 'vit-small-p16'.
        size: Of the crops in pixels, a side or (height, width).
        epochs: Of the run; warm-ups keep their share.
        preset: Names as ``--preset``, such as 'tiny-32' (docs/presets.md).
        memory: GiB of one GPU, to choose the images per process.
        batch_size: Images per process.
        init_from: File of weights to continue from, of any layout.
        seed: Of data order, masks and initialisation.
        amp: Mixed precision.
        resume: Continue from the last checkpoint in ``out``, if there is one.
        config: Config file instead of a method.
        **options: Changes of the config by their dotted names, as ``--cfg-options``:
            ``**{'model.neck.drop_edge': 0.3}``.

    Returns:
        Pretrained: Where the encoder is.

    Raises:
        ValueError: For an unknown name, or a config that cannot be run; one sentence.
        UserError: For what else can be mended: too small a disk, unreadable images ...
    """
    for name, value in (('amp', amp), ('resume', resume)):
        if not isinstance(value, bool):
            raise ValueError(f'{name} is True or False, got {value!r}.')
    for name, value in (('data', data), ('init_from', init_from)):
        if not isinstance(value, (str, os.PathLike, type(None))):
            raise ValueError(f'{name} is one path or pattern, got {value!r}.')
    if model is not None and model not in list_models() and not model.startswith('vit-'):
        raise ValueError(unknown('model', model, list_models(), 'mmmim.list_models()'))
    path = os.fspath(config) if config is not None else default_config(method)
    out = os.fspath(out)
    if not out:
        raise ValueError("out='' names no folder: give one to write, such as 'work_dirs/mine'.")
    given = dict(model=model, epochs=epochs, memory=memory, seed=seed, data=data, preset=preset)
    given |= {'work-dir': out, 'init-from': init_from, 'amp': amp, 'resume': resume, 'size': size}
    if batch_size is not None:
        options = {'train_dataloader.batch_size': batch_size, **options}
    _train([path, *_words(given)], options)
    return Pretrained(
        encoder=os.path.join(out, 'encoder.pth'),
        config=os.path.join(out, os.path.basename(path)),
        out=out,
    )


def _words(given: dict[str, Any]) -> list[str]:
    """The options of tools/train.py that say the same; None and False are left out."""
    words = []
    for name, value in given.items():
        if value is None or value is False:
            continue
        several = value if isinstance(value, (list, tuple)) else [value]
        words += [f'--{name}', *(str(v) for v in several if v is not True)]
    return words


def _train(words: list[str], options: dict) -> None:
    """As the command does, but errors are raised instead of printed."""
    from mmmim.engine.environment import stop_processes
    from mmmim.engine.failures import explained
    from mmmim.engine.launch import Run, trusting
    from mmmim.engine.options import train_parser

    parser = train_parser()
    parser.error = _raise  # argparse would print a usage and end the process
    args = parser.parse_args(words)
    args.cfg_options = options
    run = Run(args)
    try:
        with trusting(False):
            run.train()
    except Exception as error:
        cause = explained(error, run.runner)
        if cause is error:
            raise
        raise cause from error
    finally:
        stop_processes()


def _raise(message: str) -> None:
    raise ValueError(f'{message}.')

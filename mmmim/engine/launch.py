"""What tools/train.py and tools/test.py do: one path for all frameworks and launchers."""

import os
import sys
from contextlib import contextmanager

from mmengine.config import Config
from mmengine.logging import print_log
from mmengine.registry import RUNNERS

from .adapt import (
    adapt_data,
    adapt_hooks,
    adapt_to_device,
    merge_train_options,
    use_views,
    without_workers,
)
from .batch import apply_plan, solve
from .blame import blamed_key, in_a_step
from .config_check import check_config, check_sections
from .disk import require_place, require_space, require_writable
from .environment import (
    detect_launcher,
    device_word,
    export_slurm,
    is_speaker,
    start_processes,
    stop_processes,
    world_size,
)
from .errors import ConfigError, Preempted, UserError
from .failures import explained
from .hooks.init_from import check_weights
from .hooks.preemption import PreemptionHook, release_signals
from .launch_check import check_launch
from .options import PRESET_OPTIONS, test_parser, train_parser
from .own_images import use_images
from .runner import Runner

USER_ERROR = 2
INTERRUPTED = 130
SMALLEST_DISK = 64 * 2**20
SCREEN = 20  # lines
FIRST_STEP = ' (in the first step, with what train_dataloader.dataset and its pipeline gave it)'


def train(argv=None):
    """Train as the command line says; returns the exit code."""
    args = train_parser().parse_args(argv)
    run = Run(args)
    return run.guarded(run.train)


def test(argv=None):
    """Evaluate as the command line says; returns the exit code."""
    args = test_parser().parse_args(argv)
    run = Run(args)
    return run.guarded(run.test)


class Run:
    """One command: options, the config made of them, the runner made of that."""

    def __init__(self, args):
        self.args = args
        self.launcher = 'none'
        self.cfg = self.runner = None
        self.told = []

    def guarded(self, action):
        """Run ``action``; errors of the user end in one sentence and ``USER_ERROR``."""
        try:
            with trusting(self.args.trust_checkpoint):
                action()
        except Exception as error:
            error = explained(error, self.runner)
            if self.args.traceback or not self._is_users(error):
                raise error
            if is_speaker():
                print(f'error: {self._told(error)}', file=sys.stderr, flush=True)
            return USER_ERROR
        except Preempted as stop:
            return stop.CODE
        except KeyboardInterrupt:
            if is_speaker():
                print('interrupted.', file=sys.stderr, flush=True)
            return INTERRUPTED
        finally:
            stop_processes()
        return 0

    def _is_users(self, error):
        began = getattr(self.runner, 'training_began', False)
        return isinstance(error, UserError) or not began

    def _told(self, error):
        """An error on one screen; what we did not foresee with the file and the part of it."""
        if isinstance(error, UserError) or self.cfg is None:
            return sentence(error)
        where = [self.cfg.filename or 'the config', blamed_key(error, self.cfg, self.runner)]
        where = ': '.join(part for part in where if part)
        hint = FIRST_STEP if in_a_step(error) else ''
        return f'{where}: {shortened(sentence(error))}{hint} [--traceback shows where]'

    def train(self):
        cfg, literal_accumulation = self._load()
        if self._start(cfg):
            return
        merge_train_options(cfg, self.args)
        require_writable(cfg.work_dir)
        if self.args.init_from:
            check_weights(cfg, self.args.init_from, self.args.trust_checkpoint)
        told = self.told + self._use_images(cfg)
        check_config(cfg, ('train', 'val') if cfg.get('val_cfg') else ('train',), self.options)
        plan = self._plan(cfg)
        apply_plan(cfg, plan, literal_accumulation)
        adapt_hooks(cfg)
        adapt_data(cfg)
        adapt_to_device(cfg)
        require_space(cfg.work_dir, SMALLEST_DISK, 'a run')
        self._build(cfg)
        if told:
            print_log('\n'.join(['chosen', *told]), logger='current')
        print_log(plan.report(device_word()), logger='current')
        if not any(isinstance(hook, PreemptionHook) for hook in self.runner.hooks):
            release_signals()
        self.runner.train()

    def test(self):
        cfg, _ = self._load()
        if self._start(cfg):
            return
        cfg.load_from = self.args.checkpoint
        cfg.resume = False
        if cfg.get('test_cfg') is None:
            raise ConfigError(f'{cfg.filename} has no test_cfg: there is nothing to evaluate.')
        if self.args.tta:
            use_views(cfg)
        check_config(cfg, ('test',), self.options)
        adapt_to_device(cfg)
        self._build(cfg)
        if self.args.out:
            self._dump_to(self.args.out)
        self.runner.test()

    def _use_images(self, cfg):
        """Enter ``--data`` and its companions; returns what to report."""
        args = self.args
        if args.size is not None and not 1 <= len(args.size) <= 2:
            raise ConfigError(f'--size {args.size}: give one side, or height and width.')
        return use_images(
            cfg, args.data, args.data_root, args.channels, args.bits, args.stats, args.size
        )

    def _use_presets(self, cfg):
        """Enter ``--preset`` and its companions, which ``--cfg-options`` may then change."""
        given = {key: getattr(self.args, key, None) for key in PRESET_OPTIONS}
        if any(value is not None for value in given.values()):
            from mmmim.presets import apply_presets

            size = self.args.size if len(self.args.size or ()) == 1 else [None]
            self.told = apply_presets(cfg, given.pop('preset'), size=size[0], **given)

    @property
    def options(self):
        return self.args.cfg_options

    def _load(self):
        """The config with the options every command has, and its own accumulation."""
        self.cfg = cfg = load_config(self.args.config)
        check_sections(cfg)
        literal = (cfg.get('optim_wrapper') or {}).get('accumulative_counts', 1)
        self._use_presets(cfg)
        merge_options(cfg, self.options)
        check_sections(cfg)
        without_workers(cfg)
        if self.args.work_dir is not None:
            cfg.work_dir = self.args.work_dir
        elif cfg.get('work_dir') is None:
            name = os.path.splitext(os.path.basename(self.args.config))[0]
            cfg.work_dir = os.path.join('work_dirs', name)
        self.launcher = detect_launcher(self.args.launcher)
        if self.launcher == 'slurm':
            export_slurm()
        cfg.launcher = self.launcher
        return cfg, literal

    def _plan(self, cfg):
        key = 'optim_wrapper.accumulative_counts'
        return solve(
            world_size(self.launcher),
            batch_size(cfg.train_dataloader),
            cfg.optim_wrapper.optimizer.lr,
            (cfg.get('auto_scale_lr') or {}).get('base_batch_size'),
            cfg.optim_wrapper.get('accumulative_counts', 1),
            self.args.batch_mode or 'auto',
            fixed=key in self.options,
        )

    def _start(self, cfg):
        start_processes(self.launcher, (cfg.get('env_cfg') or {}).get('dist_cfg'))
        if self.args.check_launch:
            check_launch()
        return self.args.check_launch

    def _build(self, cfg):
        self.runner = RUNNERS.build(cfg) if 'runner_type' in cfg else Runner.from_cfg(cfg)

    def _dump_to(self, path):
        from mmengine.evaluator import DumpResults

        if not path.endswith(('.pkl', '.pickle')):
            raise ConfigError(f'--out {path}: the name must end in .pkl or .pickle.')
        require_place(path)
        self.runner.test_evaluator.metrics.append(DumpResults(out_file_path=path))


@contextmanager
def trusting(trust):
    """Let torch refuse pickled objects in every file that is read, whoever reads it."""
    key = 'TORCH_FORCE_WEIGHTS_ONLY_LOAD'
    before = os.environ.get(key)
    if not trust:
        os.environ[key] = '1'
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(key, None)
        else:
            os.environ[key] = before


def load_config(path):
    """Read a config file.

    Raises:
        ConfigError: If there is no such file, or it is no valid config.
    """
    if not os.path.isfile(path):
        raise ConfigError(f'there is no config file {path!r}.')
    try:
        return Config.fromfile(path)
    except Exception as error:  # a config is a program: it may raise anything
        raise ConfigError(f'{path} is no valid config: {type(error).__name__}: {error}') from error


def merge_options(cfg, options):
    """Enter ``--cfg-options`` into the config."""
    try:
        cfg.merge_from_dict(options)
    except (KeyError, TypeError, IndexError, AssertionError) as error:
        raise ConfigError(f'--cfg-options {" ".join(options)}: {sentence(error)}') from error


def batch_size(loader):
    """Images per process and micro-batch of a dataloader config."""
    sampler = loader.get('batch_sampler') or {}
    size = loader.get('batch_size', sampler.get('batch_size'))
    if not isinstance(size, int) or size < 1:
        raise ConfigError(
            f'train_dataloader.batch_size is {size!r}: it must be a positive integer.'
        )
    return size


def shortened(text):
    """The first and last lines of a text that fills more than a screen."""
    lines = [line[:400] for line in text.splitlines()]
    if len(lines) > SCREEN:
        lines = [*lines[: SCREEN // 2], '...', *lines[-SCREEN // 2 :]]
    return '\n'.join(lines)


def sentence(error):
    """Message of an exception on one screen; a KeyError's own text is only the key."""
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    text = text.strip() or type(error).__name__
    if not isinstance(error, (UserError, ValueError)):
        text = f'{type(error).__name__}: {text}'
    return text

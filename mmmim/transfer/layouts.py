"""Checkpoint layouts: how each project names the parts of a vision transformer.

A layout is a row of data. To support another project, add a row in ``key_maps/``; no code changes.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

State = dict[str, Tensor]

# Where files keep their weights, most telling first; `teacher` is what DINO and iBOT evaluate.
CONTAINERS = (
    'state_dict',
    'model',
    'module',
    'teacher',
    'student',
    'model_state_dict',
    'net',
    'params',
)

# Added by DistributedDataParallel and torch.compile around the whole model.
WRAPPERS = ('module.', '_orig_mod.')

# First name of everything that is trained beside an encoder, in any project.
BESIDE_ENCODER = (
    'decoder', 'neck', 'head', 'heads', 'fc', 'classifier', 'pooler', 'data_preprocessor',
    'corruption', 'target', 'loss', 'loss_module', 'lm_head', 'decode_head', 'auxiliary_head',
    'rpn_head', 'roi_head', 'projector', 'predictor', 'teacher', 'momentum_encoder',
    'alignment_encoder', 'regresser', 'rd_pos_embed',
)  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """How one family of checkpoints is recognised and renamed.

    Attributes:
        name: Shown to the user.
        marks: Names that must all be present (after one of ``prefixes``) for the layout to be
            recognised.
        prefixes: Where the encoder may sit, tried in order; names outside it are not the encoder's.
        rename: (regular expression, replacement) pairs applied in order; the result are
            mmpretrain's names.
        drop: Regular expressions of names beside the encoder's, after prefix and before renaming.
        keep: Those of names that are the encoder's although their first word says otherwise.
        rebuild: Optional step on the whole encoder before renaming (e.g. join query, key and
            value).
    """

    name: str
    marks: tuple[str, ...]
    prefixes: tuple[str, ...] = ('',)
    rename: tuple[tuple[str, str], ...] = ()
    drop: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    rebuild: Callable[[State], State] | None = field(default=None, compare=False)

    def find_prefix(self, state: Mapping[str, Any]) -> str | None:
        """The prefix under which all marks are found, or None."""
        for prefix in self.prefixes:
            if all(prefix + mark in state for mark in self.marks):
                return prefix
        return None

    def encoder(self, state: State, prefix: str) -> State:
        """The encoder's tensors of ``state`` under mmpretrain's names."""
        inside = {
            name[len(prefix) :]: value for name, value in state.items() if name.startswith(prefix)
        }
        kept = {name: value for name, value in inside.items() if not self._beside(name)}
        if self.rebuild is not None:
            kept = self.rebuild(kept)
        return {self.new_name(name): value for name, value in kept.items()}

    def new_name(self, name: str) -> str:
        """mmpretrain's name of one tensor."""
        return apply_rules(name, self.rename)

    def _beside(self, name: str) -> bool:
        if any(re.match(pattern, name) for pattern in self.keep):
            return False
        first = re.split(r'[._]', name, maxsplit=1)[0]
        whole = name.split('.', 1)[0]
        if whole in BESIDE_ENCODER or (first == 'decoder'):
            return True
        return any(re.match(pattern, name) for pattern in self.drop)


@dataclass(frozen=True)
class WholeModel:
    """How the whole pre-training model of one family is recognised and renamed.

    Attributes:
        name: Shown to the user.
        marks: Names that must all be present.
        convert: State dict of the family -> state dict of our model; raises ValueError where
            something would be lost.
    """

    name: str
    marks: tuple[str, ...]
    convert: Callable[[State], State]

    def matches(self, state: Mapping[str, Any]) -> bool:
        """Whether a state dict belongs to the family."""
        return all(mark in state for mark in self.marks)


def apply_rules(name: str, rules) -> str:
    """A name after all (pattern, replacement) pairs, one after the other."""
    for pattern, replacement in rules:
        name = re.sub(pattern, replacement, name)
    return name


def _is_state(value: Any) -> bool:
    return isinstance(value, Mapping) and any(isinstance(item, Tensor) for item in value.values())


def find_state(content: Any, source: str) -> State:
    """The name -> tensor mapping inside a checkpoint file, without wrapper prefixes.

    Raises:
        ValueError: If there is none, or it is empty; names ``source``.
    """
    if not isinstance(content, Mapping):
        raise ValueError(f'{source} holds a {type(content).__name__} instead of a state dict.')
    inner = next((content[key] for key in CONTAINERS if _is_state(content.get(key))), content)
    state = {name: value for name, value in inner.items() if isinstance(value, Tensor)}
    if not state:
        keys = ', '.join(map(str, list(content)[:8])) or 'nothing'
        raise ValueError(
            f'{source} holds no tensors (found: {keys}): it is no checkpoint, or an empty one.'
        )
    return strip_wrappers(state)


def strip_wrappers(state: State) -> State:
    """Take off ``module.`` and ``_orig_mod.`` wherever wrappers put them."""
    for wrapper in WRAPPERS:
        if all(name.startswith(wrapper) for name in state):
            state = {name[len(wrapper) :]: value for name, value in state.items()}
    return {name.replace('._orig_mod.', '.'): value for name, value in state.items()}


def find_layout(state: State, layouts: tuple[Layout, ...], source: str) -> tuple[Layout, str]:
    """The first layout whose marks are present, and the prefix of the encoder.

    Raises:
        ValueError: If none fits; names ``source``, the first names in it and the known layouts.
    """
    for layout in layouts:
        prefix = layout.find_prefix(state)
        if prefix is not None:
            return layout, prefix
    shown = ', '.join(list(state)[:4])
    known = ', '.join(dict.fromkeys(layout.name for layout in layouts))
    raise ValueError(
        f'{source} is not a vision transformer in a known layout: its tensors begin with {shown}. '
        f'Known: {known}.'
    )

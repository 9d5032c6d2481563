"""What a load did, in one line, and why it failed, in one sentence."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from torch import Tensor

_SHOWN = 6
_CONV = 'patch_embed.projection.weight'
_HIDDEN = 'layers.0.ffn.layers.0.0.weight'


def shorten(names: list[str]) -> str:
    """``[a, b, ... 10 more]``."""
    rest = len(names) - _SHOWN
    return '[' + ', '.join(names[:_SHOWN]) + (f', ... {rest} more' if rest > 0 else '') + ']'


@dataclass
class LoadReport:
    """Result of :func:`mmmim.transfer.load_pretrained`.

    Attributes:
        source: The file.
        layout: Name of the layout it was recognised as.
        loaded: Names copied into the module.
        shared: How many tensors file and encoder should share.
        resized: Names changed in shape on the way.
        new: Names of the module that a recipe adds and no file is expected to hold.
        missing: Names of the module that the file should hold.
        unexpected: Encoder names of the file that the module has no place for.
        mismatched: Names with another shape, ``name (file shape, model shape)``.
    """

    source: str
    layout: str
    loaded: list[str] = field(default_factory=list)
    shared: int = 0
    resized: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    mismatched: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Matched share of the tensors that should match, 0 to 1."""
        return len(self.loaded) / self.shared if self.shared else 0.0

    def __str__(self) -> str:
        parts = [
            f'loaded {len(self.loaded)}/{self.shared}',
            f'resized: {", ".join(self.resized) or "none"}',
            f'new: {shorten(self.new)}',
            f'missing: {shorten(self.missing)}',
            f'unexpected: {shorten(self.unexpected)}',
        ]
        if self.mismatched:
            parts.append(f'shape differs: {shorten(self.mismatched)}')
        return f'{", ".join(parts)} <- {self.source} ({self.layout})'


def _depth(names) -> int:
    blocks = {
        int(match.group(1))
        for match in (re.match(r'layers\.(\d+)\.', name) for name in names)
        if match
    }
    return max(blocks) + 1 if blocks else 0


def find_cause(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> str | None:
    """The architectural difference that explains a bad match, or None.

    Args:
        state: The file's encoder under mmpretrain's names.
        own: The module's state dict.
    """
    causes: dict[str, tuple] = {}
    for what, part in (
        ('LayerScale', ('.gamma1.', '.gamma_1')),
        ('qkv bias', '.attn.qkv.bias'),
        ('position table', '.pos_embed'),
        ('relative positions', 'relative_position_bias_table'),
        ('relative positions by axis', '.rel_pos_h'),
        ('relative positions of windows', '.window_rel_pos'),
    ):
        parts = (part,) if isinstance(part, str) else part
        causes[what] = tuple(
            'yes' if any(part in f'.{name}' for name in names for part in parts) else 'no'
            for names in (state, own)
        )
    differing = size_differences(state, own) + _differing(causes)
    if _CONV in state and _CONV in own and state[_CONV].shape[2:] != own[_CONV].shape[2:]:
        differing.append('patch_resize=True fits the patch embedding')
    return '; '.join(differing) or None


def size_differences(state: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> list[str]:
    """Width, patches, depth and hidden width, where file and module differ.

    Args:
        state: The file's encoder under mmpretrain's names.
        own: The module's state dict.
    """
    sizes: dict[str, tuple] = {}
    if _CONV in state and _CONV in own:
        sizes['embed_dims'] = (state[_CONV].shape[0], own[_CONV].shape[0])
        sizes['patch_size'] = (tuple(state[_CONV].shape[2:]), tuple(own[_CONV].shape[2:]))
    sizes['number of blocks'] = (_depth(state), _depth(own))
    if _HIDDEN in state and _HIDDEN in own:
        sizes['feedforward_channels'] = (state[_HIDDEN].shape[0], own[_HIDDEN].shape[0])
    return _differing(sizes)


def _differing(pairs: dict[str, tuple]) -> list[str]:
    return [f'{what} {a} in the file, {b} in the model' for what, (a, b) in pairs.items() if a != b]

"""What a scenes data set depends on, and the names of its book-keeping files."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field

import cv2

from .annotations import BACKGROUND
from .composition import SPLITS, Style
from .shapes import SHAPES
from .textures import TEXTURES

VERSION = 1  # raise when the same settings give other files
RUN = 250  # scenes per task, the unit that is redone after an interruption
MANIFEST = 'manifest.json'
JOURNAL = '.unfinished'


@dataclass(frozen=True)
class Settings:
    """Everything the files depend on.

    Args:
        seed (int): Seed, not negative.
        size (int): Side of the images in pixels, at least 32.
        counts (dict): Scenes per split of ``SPLITS``.
        style (Style): What the scenes look like.
        quality (int): JPEG quality, 1 to 100.

    Raises:
        ValueError: If a value is out of range.
    """

    seed: int = 0
    size: int = 64
    counts: dict = field(
        default_factory=lambda: dict(unlabeled=10000, train=800, tune=500, val=1000)
    )
    style: Style = field(default_factory=Style)
    quality: int = 95

    def __post_init__(self):
        if self.seed < 0:
            raise ValueError(f'seed must not be negative, got {self.seed}')
        if self.size < 32:
            raise ValueError(f'size must be at least 32 pixels, got {self.size}')
        if not 1 <= self.quality <= 100:
            raise ValueError(f'quality must lie in 1 ... 100, got {self.quality}')
        if set(self.counts) != set(SPLITS) or min(self.counts.values()) < 1:
            raise ValueError(
                f'counts needs a positive number for each of {", ".join(SPLITS)}, got {self.counts}'
            )
        if not 0 <= self.style.home_share <= 1:
            raise ValueError(f'home_share must lie in 0 ... 1, got {self.style.home_share}')

    @classmethod
    def from_dict(cls, values):
        """The inverse of ``dataclasses.asdict`` after a passage through json."""
        style = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in values['style'].items()
        }
        return cls(**dict(values, style=Style(**style)))

    def labelled_splits(self):
        return [split for split in self.counts if split != 'unlabeled']

    def fingerprint(self):
        """Hex digest that changes with any setting and with ``VERSION``."""
        text = json.dumps([VERSION, asdict(self)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def manifest(self):
        """What ``manifest.json`` says, a dict."""
        return dict(
            fingerprint=self.fingerprint(),
            version=VERSION,
            settings=asdict(self),
            classes=list(SHAPES),
            label_map=[BACKGROUND, *SHAPES],
            textures=list(TEXTURES),
            opencv=cv2.__version__,
        )

    def bytes_needed(self):
        """Disk space, from above: files in blocks of 4 KiB, an image at most a byte per pixel."""
        blocks = -(-(self.size**2) // 4096) * 4096
        labelled = sum(self.counts[split] for split in self.labelled_splits())
        # A labelled scene is three files where there are no hard links, and 4 kB of annotations.
        return self.counts['unlabeled'] * blocks + labelled * (3 * blocks + 4096) + 2**20


def write_text(path, text):
    """Write a file whole or not at all."""
    part = path.with_name(path.name + '.part')
    part.write_text(text)
    os.replace(part, path)

"""The faults that tools/misc/plant_faults.py plants, each as a change of the source text.

A fault says which quick tests must notice it. ``old`` must occur exactly once in its file, so a
fault that the code has moved away from is reported instead of passing unplanted.
"""

from . import analysis, masks, numbers, training
from .fault import Fault

__all__ = ['FAULTS', 'PENDING', 'Fault']

FAULTS = masks.FAULTS + numbers.FAULTS + training.FAULTS + analysis.FAULTS

# Mistakes of parts that do not exist yet; plant them together with the part.
PENDING = {}

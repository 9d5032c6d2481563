"""Checkpoints of this toolkit, of mmpretrain, and of detectors and segmentors trained with
either."""

from ..layouts import Layout

OPENMMLAB = Layout(
    name='mmpretrain',
    marks=('patch_embed.projection.weight', 'layers.0.ln1.weight'),
    prefixes=('backbone.', '', 'model.backbone.', 'encoder.', 'model.'),
)

"""Checkpoints of this toolkit, of mmpretrain, and of detectors and segmentors trained with
either."""

from ..layouts import Layout

OPENMMLAB = Layout(
    name='mmpretrain',
    marks=('patch_embed.projection.weight', 'layers.0.ln1.weight'),
    prefixes=('backbone.', '', 'model.backbone.', 'encoder.', 'model.'),
)

SWIN = Layout(
    name='mmpretrain',
    marks=('patch_embed.projection.weight', 'stages.0.blocks.0.norm1.weight'),
    prefixes=OPENMMLAB.prefixes,
)

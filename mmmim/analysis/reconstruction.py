"""Pictures of what a masked-image-modelling model predicts."""

from __future__ import annotations

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint

from mmmim.datasets import ImageFolder, collate_views
from mmmim.registry import MODELS
from mmmim.visualization.image_grid import ImageGrid, to_uint8

COLUMNS = ('input', 'corrupted', 'prediction', 'pasted', 'target')
FLATTERED = (
    'Each patch of the prediction is mapped to pixels with the true brightness and contrast of '
    'that patch, which the model does not know: this flatters it. Colour and pattern are its own.'
)
UNAIDED = 'The prediction is mapped to pixels without the true statistics of the hidden patches.'


def load_model(config, checkpoint):
    """The model of a config with the weights of a checkpoint, in evaluation mode.

    Args:
        config (str | Path): Config file.
        checkpoint (str | Path): Checkpoint of a whole model, decoder included.

    Raises:
        ValueError: If the checkpoint lacks weights of the model, or the model cannot reconstruct.
    """
    cfg = Config.fromfile(config)
    init_default_scope(cfg.get('default_scope', 'mmpretrain'))
    model = MODELS.build(dict(cfg.model, data_preprocessor=cfg.get('data_preprocessor')))
    if not hasattr(model, 'reconstruct'):
        raise ValueError(f'{type(model).__name__} of {config} predicts no pixels to look at.')
    state = load_checkpoint(model, str(checkpoint), map_location='cpu', logger='silent')
    missing = set(model.state_dict()) - set(state.get('state_dict', state))
    if any(name.startswith('neck.') for name in missing):
        raise ValueError(
            f'{checkpoint} has no decoder ({sorted(missing)[0]} and others are missing): '
            'reconstruction needs the whole checkpoint, not the encoder alone.'
        )
    return model.eval()


def load_images(folder, num: int, size: int, seed: int = 0):
    """A batch of ``num`` images spread evenly over a folder, resized and centre-cropped.

    Returns:
        The batch as the data loader gives it.
    """
    pipeline = [
        dict(type='mmmim.ResizeShort', size=size),
        dict(type='mmmim.CenterCrop', size=size),
    ]
    images = ImageFolder(data_root=str(folder), pipeline=pipeline, seed=seed)
    num = min(num, len(images))
    return collate_views([images[i * len(images) // num] for i in range(num)])


def reconstruct_images(model, batch, mask=None, note='') -> ImageGrid:
    """Input, corrupted input, prediction, prediction pasted over the input, and target.

    Args:
        model: With ``reconstruct(views, mask)``.
        batch: As the data loader gives it, uint8 images.
        mask: (N, Gh, Gw) bool, True = masked; drawn by the model without it.
        note: Put before the caption.
    """
    views = model.data_preprocessor(batch, False)['inputs']
    with torch.no_grad():
        result = model.reconstruct(views, mask=mask)
    columns = [result.input, result.corrupted, result.pred, result.pasted, result.target]
    columns = [to_uint8(images.cpu()) for images in columns]
    caption = [note]
    if result.mask is not None:
        caption.append(f'{100 * result.mask.float().mean():.0f} % of the patches are hidden.')
    caption.append(FLATTERED if result.flattered else UNAIDED)
    text = ' '.join(filter(None, caption))
    return ImageGrid(list(COLUMNS), [list(row) for row in zip(*columns)], text)

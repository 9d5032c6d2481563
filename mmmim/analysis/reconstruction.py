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
WHOLE = ('whole prediction', 'whole target')  # where the input is another part of the scene
CHANCE = ('ColorJitter', 'GaussianBlur', 'Solarize')
FLATTERED = (
    'Each patch of the prediction is mapped to pixels with the true brightness and contrast of '
    'that patch, which the model does not know: this flatters it. Colour and pattern are its own.'
)
COLOURED = (
    'Each patch of the prediction is mapped to pixels with the true mean and contrast of every '
    'colour channel of that patch, which the model does not know: this flatters it. The pattern is '
    'its own.'
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


def load_pipeline(config) -> list[dict]:
    """The pipeline of the training images of a config file."""
    return list(Config.fromfile(config).train_dataloader.dataset.pipeline)


def still_pipeline(pipeline) -> list[dict]:
    """A training pipeline without chance: central crops for random ones, no flips and jitter.

    It delivers the views that the method needs, zoom-in's wider one for example.
    """
    still = []
    for step in pipeline:
        name = str(step['type']).rpartition('.')[2]
        if name == 'RandomResizedCrop':
            still += _central(step['size'])
        elif name == 'MultiView':
            views = {view: still_pipeline(steps) for view, steps in step['views'].items()}
            still.append({**step, 'views': views})
        elif not name.startswith('Random') and name not in CHANCE:
            still.append(dict(step))
    return still


def _central(size) -> list[dict]:
    return [
        dict(type='mmmim.ResizeShort', size=size),
        dict(type='mmmim.CenterCrop', size=size),
    ]


def load_images(folder, num: int, pipeline, seed: int = 0):
    """A batch of ``num`` images spread evenly over a folder.

    Args:
        folder: Of images.
        num: How many at most.
        pipeline: That of a config, made still, or the side of a plain central crop.
        seed: Of what chance is left.

    Returns:
        The batch as the data loader gives it.
    """
    plain = isinstance(pipeline, int)
    pipeline = _central(pipeline) if plain else still_pipeline(pipeline)
    images = ImageFolder(data_root=str(folder), pipeline=pipeline, seed=seed)
    num = min(num, len(images))
    return collate_views([images[i * len(images) // num] for i in range(num)])


def reconstruct_images(model, batch, mask=None, note='') -> ImageGrid:
    """Input, corrupted input, prediction, prediction pasted over the input, and target.

    Zooms add the prediction and the target in their own frame.

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
    names = list(COLUMNS)
    if result.whole_pred is not None:
        columns += [result.whole_pred, result.whole_target]
        names += WHOLE
    columns = [to_uint8(images.cpu()) for images in columns]
    caption = [note]
    if result.mask is not None:
        caption.append(f'{100 * result.mask.float().mean():.0f} % of the patches are hidden.')
    flattery = COLOURED if getattr(model.target, 'per_channel', False) else FLATTERED
    caption.append(flattery if result.flattered else UNAIDED)
    text = ' '.join(filter(None, caption))
    return ImageGrid(names, [list(row) for row in zip(*columns)], text)

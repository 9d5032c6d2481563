"""Detections and segmentations of several checkpoints beside the truth, drawn on images."""

from __future__ import annotations

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import DATASETS, MODELS, init_default_scope
from mmengine.runner import load_checkpoint

from mmmim.engine.launch import load_config
from mmmim.visualization.image_grid import ImageGrid
from mmmim.visualization.overlays import draw_instances, draw_labels, enlarge, hex_colour

MIN_SCORE, MAX_INSTANCES, FACTOR = 0.3, 8, 4


def prepare(config):
    """The test data set of a config with its truth, and the resolved config.

    Raises:
        ValueError: If the config has no test images.
    """
    cfg = load_config(config)
    if not cfg.get('test_dataloader'):
        raise ValueError(
            f'{config} has no test_dataloader: give the config of a detector or a segmentor.'
        )
    init_default_scope(cfg.get('default_scope', 'mmengine'))
    return DATASETS.build(cfg.test_dataloader.dataset), cfg


def predict(cfg, checkpoint, items):
    """Data samples with the predictions of one checkpoint, on the CPU.

    Args:
        cfg: Resolved config.
        checkpoint: Path of a whole model.
        items: Entries of the test data set.
    """
    model = MODELS.build(cfg.model)
    load_checkpoint(model, str(checkpoint), map_location='cpu', strict=True, logger='silent')
    model.eval()
    with torch.no_grad():
        return [sample.cpu() for sample in model.test_step(pseudo_collate(items))]


def pick(dataset, num: int) -> list[int]:
    """Indices spread evenly over a data set."""
    num = min(num, len(dataset))
    return [index * len(dataset) // num for index in range(num)]


def prediction_grid(config, checkpoints: dict, num: int = 6) -> ImageGrid:
    """Image, truth and the predictions of every checkpoint, a row per image of the test split.

    Args:
        config: Config of a detector with masks, or of a segmentor.
        checkpoints: Column name to checkpoint of that config.
        num: Images to draw.

    Raises:
        ValueError: If the model predicts neither instances with masks nor a segmentation.
    """
    dataset, cfg = prepare(config)
    indices = pick(dataset, num)
    items = [dataset[index] for index in indices]
    predictions = {
        name: predict(cfg, path, [dict(item) for item in items])
        for name, path in checkpoints.items()
    }
    classes = dataset.metainfo['classes']
    draw = _kind(next(iter(predictions.values()))[0])
    rows = []
    for row, (index, item) in enumerate(zip(indices, items)):
        picture = to_picture(item['inputs'])
        drawn = [draw(picture, samples[row], classes) for samples in predictions.values()]
        truth = draw(picture, item['data_samples'], classes, dataset.get_data_info(index))
        rows.append([enlarge(picture, FACTOR), truth, *drawn])
    foreground = classes[1:] if draw is _segmentation else classes
    legend = [(name, hex_colour(label)) for label, name in enumerate(foreground)]
    columns = ['image', 'truth', *predictions]
    return ImageGrid(columns, rows, CAPTIONS[draw.__name__], legend=legend)


def _kind(sample):
    if 'masks' in getattr(sample, 'pred_instances', {}):
        return _detection
    if 'pred_sem_seg' in sample:
        return _segmentation
    raise ValueError('Only detectors with masks and segmentors can be drawn on images.')


def to_picture(inputs) -> np.ndarray:
    """uint8 RGB (H, W, 3) of a packed BGR image (3, H, W)."""
    return np.ascontiguousarray(inputs.numpy()[::-1].transpose(1, 2, 0)).astype(np.uint8)


def _detection(picture, sample, classes, info=None):
    """Draw predicted instances above a score, or with ``info`` the annotated ones."""
    if info is not None:
        masks = [_decode(instance['mask']) for instance in info['instances']]
        labels = [instance['bbox_label'] for instance in info['instances']]
        return draw_instances(picture, masks, labels, classes, factor=FACTOR)
    found = sample.pred_instances
    found = found[found.scores >= MIN_SCORE]
    order = found.scores.argsort(descending=True)[:MAX_INSTANCES]
    found = found[order]
    masks = np.asarray(found.masks).astype(bool).reshape(-1, *picture.shape[:2])
    return draw_instances(
        picture, masks, found.labels.tolist(), classes, found.scores.tolist(), factor=FACTOR
    )


def _decode(rle) -> np.ndarray:
    """Bool mask of a run-length code or of polygons in COCO's form."""
    from pycocotools import mask as coder

    if isinstance(rle, dict):
        height, width = rle['size']
        if isinstance(rle['counts'], list):
            rle = coder.frPyObjects(rle, height, width)
        return coder.decode(rle).astype(bool)
    raise ValueError('Polygons cannot be drawn without the size of their image.')


def _segmentation(picture, sample, classes, info=None):
    name = 'gt_sem_seg' if info is not None else 'pred_sem_seg'
    label_map = getattr(sample, name).data.squeeze(0).numpy()
    return draw_labels(picture, label_map, factor=FACTOR)


CAPTIONS = {
    '_detection': (
        f'Validation images. Instances with a score of at least {MIN_SCORE}, at most '
        f'{MAX_INSTANCES} per image, with class and score.'
    ),
    '_segmentation': 'Validation images. Every pixel in the colour of its class, background clear.',
}

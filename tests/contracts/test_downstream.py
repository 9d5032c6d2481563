"""Every classifier, detector and segmentor, tiny: loss, gradients, a step, a prediction."""

import pytest
import torch
from helpers import data, tiny
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData, PixelData

from mmmim.models.detection.requirements import detection_problem

SAMPLES = 2


def image_size(cfg):
    size = cfg.model.backbone.get('img_size', 224)
    return (size, size) if isinstance(size, int) else tuple(size)


def images(size):
    return [torch.randint(0, 256, (3, *size), dtype=torch.uint8) for _ in range(SAMPLES)]


def classification_batch(cfg):
    from mmpretrain.structures import DataSample

    samples = [DataSample().set_gt_label(index) for index in range(SAMPLES)]
    return dict(inputs=images(image_size(cfg)), data_samples=samples)


def segmentation_batch(cfg):
    from mmseg.structures import SegDataSample

    size = image_size(cfg)
    classes = cfg.model.decode_head.num_classes
    samples = []
    for _ in range(SAMPLES):
        meta = dict(img_shape=size, ori_shape=size, pad_shape=size, flip=False)
        label_map = torch.randint(0, classes, (1, size[0] // 8, size[1] // 8))
        label_map = label_map.repeat_interleave(8, 1).repeat_interleave(8, 2)
        samples.append(SegDataSample(metainfo=meta, gt_sem_seg=PixelData(data=label_map)))
    return dict(inputs=images(size), data_samples=samples)


def detection_batch(cfg):
    from mmdet.structures import DetDataSample
    from mmdet.structures.bbox import HorizontalBoxes
    from mmdet.structures.mask import BitmapMasks

    height, width = image_size(cfg)
    boxes = torch.tensor([[2.0, 3.0, width / 2, height / 2], [width / 3, 5.0, width, height]])
    masks = torch.zeros(2, height, width, dtype=torch.uint8)
    for mask, (left, top, right, bottom) in zip(masks, boxes.int().tolist()):
        mask[top:bottom, left:right] = 1
    samples = []
    for index in range(SAMPLES):
        truth = InstanceData(
            bboxes=HorizontalBoxes(boxes.clone()),
            labels=torch.tensor([0, 1]),
            masks=BitmapMasks(masks.numpy(), height, width),
        )
        shape = dict(img_shape=(height, width), ori_shape=(height, width))
        meta = dict(**shape, batch_input_shape=(height, width), scale_factor=(1.0, 1.0))
        sample = DetDataSample(metainfo=dict(meta, img_id=index))
        sample.gt_instances, sample.ignored_instances = truth, truth[:0]
        samples.append(sample)
    return dict(inputs=images((height, width)), data_samples=samples)


BATCHES = {
    'classification': classification_batch,
    'detection': detection_batch,
    'segmentation': segmentation_batch,
}
ENTRIES = [(kind, entry) for kind in BATCHES for entry in tiny.tinies(kind)]


@pytest.fixture(params=ENTRIES, ids=lambda pair: pair[1].id)
def case(request, scratch):
    """(tiny config, config as written, model, batch)."""
    kind, entry = request.param
    if kind == 'detection' and detection_problem():
        pytest.skip(detection_problem())
    if kind == 'segmentation':
        pytest.importorskip('mmseg.models')  # OpenMMLab's needs compiled ops
    with DefaultScope.overwrite_default_scope(entry.cfg.default_scope):
        yield entry.cfg, entry.full, data.build_tiny(entry.cfg, scratch), BATCHES[kind](entry.cfg)


def train_whole(model):
    """Training mode, but no branch is dropped, which might happen to the whole batch."""
    model.train()
    for part in model.modules():
        if hasattr(part, 'drop_prob'):
            part.drop_prob = 0.0


def test_loss_is_finite_and_reaches_every_parameter(case):
    _, _, model, batch = case
    train_whole(model)
    data = model.data_preprocessor(batch, training=True)
    loss, log = model.parse_losses(model(**data, mode='loss'))
    assert loss.isfinite() and loss > 0
    assert all(torch.as_tensor(value).isfinite() for value in log.values())
    loss.backward()
    trained = {n: p.grad for n, p in model.named_parameters() if p.requires_grad}
    assert [n for n, grad in trained.items() if grad is None] == []
    assert all(gradient.isfinite().all() for gradient in trained.values())
    silent = [n for n, grad in trained.items() if not grad.any() and n.startswith('backbone')]
    assert silent == []


def test_a_step_through_its_own_optimizer_wrapper(case):
    """In its own precision, too; each batch an update, whatever it accumulates."""
    _, full, model, batch = case
    train_whole(model)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    wrapper = build_optim_wrapper(model, {**full.optim_wrapper, 'accumulative_counts': 1})
    mixed = []
    model.backbone.register_forward_hook(lambda *_: mixed.append(torch.is_autocast_enabled('cpu')))
    for _ in range(2):
        log = model.train_step(batch, wrapper)
    assert mixed == [full.optim_wrapper.type == 'mmmim.AmpOptimWrapper'] * 2
    assert log['loss'].isfinite()
    changed = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    assert changed >= {n for n, p in model.named_parameters() if p.requires_grad and p.dim() > 1}
    assert all(p.isfinite().all() for p in model.parameters())


def test_it_predicts_for_every_image(case):
    _, _, model, batch = case
    model.eval()
    with torch.no_grad():
        results = model.test_step(batch)
    assert len(results) == SAMPLES
    fields = {'pred_label', 'pred_instances', 'pred_sem_seg'}
    assert all(any(field in result for field in fields) for result in results)

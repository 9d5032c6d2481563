"""Detection and segmentation on scenes with everything random off: no flips, no shuffling, no
dropout, and samplers that keep all regions.

Batch norm sees micro-batches of one image.
"""

SHARED = """
work = dict(
    batch_size=1,
    sampler=dict(_delete_=True, type='DefaultSampler', shuffle=False),
    dataset=dict(data_root='{data}/'),
)
optim_wrapper = dict(
    _delete_=True,
    type='mmmim.OptimWrapper',
    optimizer=dict(type='SGD', lr=0.01, momentum=0.9),
)
auto_scale_lr = dict(base_batch_size=2)
param_scheduler = []
custom_hooks = []
val_cfg = val_dataloader = val_evaluator = None
test_cfg = test_dataloader = test_evaluator = None
"""

DETECTION = (
    """
_base_ = ['{root}/configs/demo/mask-rcnn_vit-demo-p8_deconv-fpn_1xb16-amp-coslr-8e_scenes.py']
keep_all = dict(num=100000, pos_fraction=1.0)
model = dict(
    backbone=dict(drop_path_rate=0.0),
    train_cfg=dict(rpn=dict(sampler=keep_all), rcnn=dict(sampler=keep_all)),
)
pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations', with_bbox=True, with_mask=True),
    dict(type='PackDetInputs'),
]
train_cfg = dict(_delete_=True, by_epoch=True, max_epochs=1)
default_hooks = dict(logger=dict(interval=1))
"""
    + SHARED
    + """
train_dataloader = dict(**work)
train_dataloader['dataset']['pipeline'] = pipeline
"""
)

SEGMENTATION = (
    """
_base_ = ['{root}/configs/demo/upernet_vit-demo-p8_1xb16-amp-coslr-400it_scenes-64x64.py']
model = dict(
    backbone=dict(drop_path_rate=0.0),
    # a single value per channel, as pooling to 1 gives with one image, has no batch statistics
    decode_head=dict(dropout_ratio=0.0, pool_scales=(2, 4)),
    auxiliary_head=dict(dropout_ratio=0.0),
)
pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='LoadAnnotations'),
    dict(type='PackSegInputs'),
]
train_cfg = dict(_delete_=True, by_epoch=True, max_epochs=1)
default_hooks = dict(logger=dict(interval=1, log_metric_by_epoch=True))
"""
    + SHARED
    + """
train_dataloader = dict(**work)
train_dataloader['dataset']['pipeline'] = pipeline
"""
)

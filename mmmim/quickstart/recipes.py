"""What the main job trains: configs, metrics and learning rates of the three transfer tasks."""

from __future__ import annotations

from dataclasses import dataclass

SIDES = ('pretrained', 'scratch')
PRETRAIN_CONFIG = 'configs/demo/robust-mae-pixel_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'

PRETRAIN_SMOKE = 'train_cfg.max_epochs=3'


@dataclass(frozen=True)
class Task:
    """One transfer task.

    Attributes:
        key: Name in results.json.
        title: Name in the table.
        model: What is trained, for the table of the report.
        config: Path below the root of the repository.
        metric: Name and unit of the headline number.
        metric_key: Its key among the metrics of the evaluator.
        scale: Factor that turns the evaluator's number into per cent.
        lrs: Learning rate of each side in a quick run.
        grid: Learning rates that ``--full`` tries on both sides.
        others: Further metrics of the report, name to key.
        smoke: Override that cuts the training to a few steps.
    """

    key: str
    title: str
    model: str
    config: str
    metric: str
    metric_key: str
    scale: float
    lrs: dict
    grid: tuple
    others: dict
    smoke: str = 'train_cfg.max_epochs=3'


# The learning rates of a quick run are those that `--full` chose on the tune split.
TASKS = (
    Task(
        key='classification',
        title='Classification',
        model='ViT, mmpretrain',
        config='configs/demo/finetune_vit-demo-p8_1xb32-amp-coslr-30e_scenes-64px.py',
        metric='top-1 accuracy (%)',
        metric_key='accuracy/top1',
        scale=1.0,
        lrs=dict(pretrained=5e-4, scratch=5e-4),
        grid=(5e-4, 1.5e-3),
        others={'top-1, away (%)': 'away/top1'},
    ),
    Task(
        key='detection',
        title='Detection',
        model='Mask R-CNN, mmdet',
        config='configs/demo/mask-rcnn_vit-demo-p8_deconv-fpn_1xb16-amp-coslr-8e_scenes.py',
        metric='mask mAP (%)',
        metric_key='coco/segm_mAP',
        scale=100.0,
        lrs=dict(pretrained=1.5e-3, scratch=1.5e-3),
        grid=(5e-4, 1.5e-3),
        others={'box mAP (%)': 'coco/bbox_mAP', 'mask mAP50 (%)': 'coco/segm_mAP_50'},
    ),
    Task(
        key='segmentation',
        title='Segmentation',
        model='UperNet, mmseg',
        config='configs/demo/upernet_vit-demo-p8_1xb16-amp-coslr-400it_scenes-64x64.py',
        metric='mIoU (%)',
        metric_key='mIoU',
        scale=1.0,
        lrs=dict(pretrained=1.5e-3, scratch=5e-4),
        grid=(5e-4, 1.5e-3),
        others={'pixel accuracy (%)': 'aAcc'},
        smoke='train_cfg.max_iters=60',
    ),
)

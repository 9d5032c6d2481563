"""Detection parts that stay in float32 under mixed precision.

mmcv's RoIAlign and NMS have no bfloat16 kernels on the CPU, and boxes need more than 8 bits of
mantissa anywhere: an x coordinate of 1000 moves in steps of 4 in bfloat16. So convolutions and
linear layers run in the low precision, and what computes with coordinates does not.
"""

import torch
from mmdet.models.dense_heads import RPNHead as _RPNHead
from mmdet.models.roi_heads import CascadeRoIHead as _CascadeRoIHead
from mmdet.models.roi_heads import StandardRoIHead as _StandardRoIHead
from mmdet.models.roi_heads.roi_extractors import SingleRoIExtractor as _SingleRoIExtractor
from torch.nn import ModuleList

from mmmim.registry import MODELS

from .requirements import require_detection
from .roi_align import RoIAlign


def full_precision(tensor):
    """Context without autocast on the device of a tensor."""
    return torch.autocast(tensor.device.type, enabled=False)


@MODELS.register_module()
class RPNHead(_RPNHead):
    """mmdet's RPN head, whose scores and box deltas leave the convolutions as float32.

    Raises:
        RuntimeError: If mmcv has no compiled ops.
    """

    def __init__(self, *args, **kwargs):
        require_detection()
        super().__init__(*args, **kwargs)

    def forward_single(self, x):
        """(N, C, H, W) -> scores (N, A, H, W) and deltas (N, 4 A, H, W), float32."""
        scores, deltas = super().forward_single(x)
        return scores.float(), deltas.float()

    def loss_by_feat(self, cls_scores, *args, **kwargs):
        """mmdet's, without autocast."""
        with full_precision(cls_scores[0]):
            return super().loss_by_feat(cls_scores, *args, **kwargs)

    def predict_by_feat(self, cls_scores, *args, **kwargs):
        """mmdet's, without autocast; proposals are suppressed in float32."""
        with full_precision(cls_scores[0]):
            return super().predict_by_feat(cls_scores, *args, **kwargs)


@MODELS.register_module()
class SingleRoIExtractor(_SingleRoIExtractor):
    """mmdet's RoI extractor, computing and returning float32, and fast on small maps on the CPU."""

    def build_roi_layers(self, layer_cfg, featmap_strides):
        """mmdet's, with our RoIAlign for mmcv's."""
        if layer_cfg['type'] != 'RoIAlign':
            return super().build_roi_layers(layer_cfg, featmap_strides)
        options = {key: value for key, value in layer_cfg.items() if key != 'type'}
        return ModuleList(RoIAlign(spatial_scale=1 / s, **options) for s in featmap_strides)

    def forward(self, feats, rois, roi_scale_factor=None):
        """(N, C, H, W) maps and RoIs (K, 5) -> (K, C, h, w) float32."""
        with full_precision(rois):
            maps = tuple(feat.float() for feat in feats)
            return super().forward(maps, rois.float(), roi_scale_factor=roi_scale_factor)


@MODELS.register_module()
class StandardRoIHead(_StandardRoIHead):
    """mmdet's RoI head, whose predictions become float32 before losses, decoding and
    suppression."""

    def _bbox_forward(self, x, rois):
        return _float_predictions(super()._bbox_forward(x, rois))

    def _mask_forward(self, *args, **kwargs):
        return _float_predictions(super()._mask_forward(*args, **kwargs))


@MODELS.register_module()
class CascadeRoIHead(_CascadeRoIHead):
    """mmdet's cascade, whose predictions become float32 before losses, decoding and
    suppression; so do the boxes that each stage hands to the next.
    """

    def _bbox_forward(self, stage, x, rois):
        return _float_predictions(super()._bbox_forward(stage, x, rois))

    def _mask_forward(self, stage, x, rois):
        return _float_predictions(super()._mask_forward(stage, x, rois))


def _float_predictions(results: dict) -> dict:
    keys = ('cls_score', 'bbox_pred', 'mask_preds')
    return {
        key: value.float() if key in keys and value is not None else value
        for key, value in results.items()
    }

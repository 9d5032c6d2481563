"""Parts of detectors that compute in float32, and RoIAlign by matrix products."""

import subprocess
import sys

import pytest
import torch

from mmmim.models.detection.requirements import detection_problem

if detection_problem():
    pytest.skip(detection_problem(), allow_module_level=True)

from mmcv.ops import RoIAlign as McvRoIAlign  # noqa: E402
from mmengine.config import ConfigDict  # noqa: E402
from mmengine.registry import DefaultScope  # noqa: E402

from mmmim.models.detection.fp32 import RPNHead, SingleRoIExtractor  # noqa: E402
from mmmim.models.detection.roi_align import RoIAlign, separable_roi_align  # noqa: E402


def some_rois(count=40, side=64.0, images=3):
    torch.manual_seed(0)
    corner = torch.rand(count, 2) * side * 1.2 - side * 0.1  # some reach beyond the image
    extent = torch.rand(count, 2) * side
    image = torch.randint(0, images, (count, 1)).float()
    tiny = torch.tensor([[1, 5.0, 5.0, 5.2, 5.1], [0, -90.0, -90.0, -70.0, -60.0]])
    return torch.cat([torch.cat([image, corner, corner + extent], 1), tiny])


@pytest.mark.parametrize('aligned', [True, False])
@pytest.mark.parametrize('size, samples', [(7, 2), (14, 1), ((3, 5), 3)])
def test_products_equal_mmcvs_roi_align(aligned, size, samples):
    maps = torch.randn(4, 6, 16, 12, requires_grad=True)  # the last image has no RoI
    rois, weight = some_rois(), None
    results = []
    for cls in (McvRoIAlign, RoIAlign):
        out = cls(size, 0.25, samples, aligned=aligned)(maps, rois)
        weight = torch.randn_like(out) if weight is None else weight
        results.append((out, torch.autograd.grad((out * weight).sum(), maps)[0]))
    (theirs, their_grad), (ours, our_grad) = results
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(our_grad, their_grad, atol=1e-5, rtol=1e-5)


def test_the_product_path_is_taken_where_it_fits(monkeypatch):
    calls = []
    monkeypatch.setattr(
        'mmmim.models.detection.roi_align.separable_roi_align',
        lambda *args: calls.append(1) or separable_roi_align(*args),
    )
    rois = some_rois()
    RoIAlign(7, 0.25, 2)(torch.randn(3, 4, 16, 16), rois)
    assert len(calls) == 1
    RoIAlign(7, 0.25, 0)(torch.randn(3, 4, 16, 16), rois)  # as many samples as the RoI needs
    RoIAlign(7, 0.25, 2)(torch.randn(3, 4, 80, 80), rois)
    RoIAlign(7, 0.25, 2, pool_mode='max')(torch.randn(3, 4, 16, 16), rois)
    assert len(calls) == 1


def test_no_rois_still_reach_the_maps():
    maps = torch.randn(2, 4, 8, 8, requires_grad=True)
    out = RoIAlign(7, 0.25, 2)(maps, torch.zeros(0, 5))
    assert out.shape == (0, 4, 7, 7)
    out.sum().backward()
    assert not maps.grad.any()


def rpn_head():
    with DefaultScope.overwrite_default_scope('mmdet'):
        return RPNHead(
            in_channels=8,
            feat_channels=8,
            anchor_generator=dict(
                type='mmdet.AnchorGenerator', scales=[4], ratios=[1.0], strides=[4, 8]
            ),
        )


def test_rpn_leaves_low_precision_behind(monkeypatch):
    head = rpn_head()
    maps = (torch.randn(1, 8, 16, 16), torch.randn(1, 8, 8, 8))
    nms = dict(type='nms', iou_threshold=0.7)
    cfg = ConfigDict(nms_pre=50, max_per_img=10, nms=nms, min_bbox_size=0)
    meta = dict(img_shape=(64, 64), scale_factor=(1.0, 1.0))
    autocast, decode = [], head.bbox_coder.decode

    def spy(*args, **kwargs):
        autocast.append(torch.is_autocast_enabled('cpu'))
        return decode(*args, **kwargs)

    monkeypatch.setattr(head.bbox_coder, 'decode', spy)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        assert head.rpn_conv(maps[0]).dtype == torch.bfloat16
        scores, deltas = head(maps)
        (found,) = head.predict_by_feat(scores, deltas, None, [meta], cfg)
    assert all(x.dtype == torch.float32 for x in (*scores, *deltas))
    assert found.bboxes.dtype == torch.float32 and autocast == [False]


@pytest.mark.parametrize('samples', [0, 2])
def test_rois_are_cut_from_low_precision_maps(samples):
    """mmcv's own refuses bfloat16 on the CPU."""
    extractor = SingleRoIExtractor(
        roi_layer=dict(type='RoIAlign', output_size=7, sampling_ratio=samples),
        out_channels=8,
        featmap_strides=[4, 8],
        finest_scale=16,
    )
    maps = [torch.randn(3, 8, side, side) for side in (16, 8)]
    rois = some_rois()
    with torch.autocast('cpu', dtype=torch.bfloat16):
        low = extractor([x.bfloat16() for x in maps], rois)
        assert torch.is_autocast_enabled('cpu')
    assert low.dtype == torch.float32
    torch.testing.assert_close(low, extractor(maps, rois), atol=0.05, rtol=0.05)
    if samples == 0:
        with pytest.raises(RuntimeError, match='BFloat16|not implemented'):
            McvRoIAlign(7, 0.25, 0)(maps[0].bfloat16(), rois.bfloat16())


SCRIPT = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] == {package!r} or name == {package!r}:
            raise ModuleNotFoundError(f'No module named {{name!r}}', name=name)
sys.meta_path.insert(0, Missing())
import mmmim.models
from mmmim.registry import MODELS
model = MODELS.build(dict(type='mmmim.DeconvPyramid', in_channels=4))
for name in ('CascadeRoIHead', 'RPNHead', 'SingleRoIExtractor', 'StandardRoIHead'):
    try:
        MODELS.build(dict(type=f'mmmim.{{name}}'))
    except RuntimeError as error:
        print('refused', name, error)
"""


@pytest.mark.parametrize('package', ['mmdet', 'mmcv._ext'])
def test_the_package_works_without_detection(package, tmp_path):
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', SCRIPT.format(package=package)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=300,
    )
    refused = [line for line in done.stdout.splitlines() if line.startswith('refused')]
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(refused) == 4
    for line in refused:
        assert (
            'compiled ops: run `bash tools/setup_env.sh`' in line and 'cannot be imported' in line
        )

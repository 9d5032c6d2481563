import pytest
import torch
from mmengine.registry import MODELS

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


def build(**options):
    return MODELS.build(dict(type='mmmim.ViewsPreprocessor', **options))


def batch(**views):
    image = torch.randint(0, 256, (2, 3, 4, 6), dtype=torch.uint8)
    return dict(inputs=dict(image=image, sample_index=torch.tensor([4, 2]), **views))


def test_normalises_each_channel():
    data = batch()
    out = build()(data)
    for c in range(3):
        expected = (data['inputs']['image'][:, c].double() - MEAN[c]) / STD[c]
        assert (out['inputs']['image'][:, c].double() - expected).abs().max() < 1e-6
    assert out['inputs']['image'].dtype == torch.float32


def test_loader_batch_is_left_alone_and_other_entries_kept():
    data = batch(wide=torch.ones(2, 3, 8, 8, dtype=torch.uint8))
    before = data['inputs']['image'].clone()
    out = build()(dict(data, data_samples=None), training=True)
    assert torch.equal(data['inputs']['image'], before)
    assert out['data_samples'] is None and out['inputs']['sample_index'].tolist() == [4, 2]
    assert out['inputs']['wide'].dtype == torch.uint8


def test_any_number_of_channels_and_views():
    pre = build(mean=[10.0], std=[2.0], normalize=('image', 'wide'))
    views = dict(image=torch.full((2, 1, 4, 4), 14, dtype=torch.uint8))
    views['wide'] = views['image'].repeat(1, 1, 2, 2) + 2
    out = pre(dict(inputs=views))['inputs']
    assert (out['image'] == 2).all() and (out['wide'] == 3).all()


def test_no_state_in_checkpoints():
    assert not build().state_dict()


def test_moves_to_its_device():
    pre = build().to('meta')
    out = pre(batch())['inputs']
    assert out['image'].device.type == out['sample_index'].device.type == 'meta'


@pytest.mark.parametrize(
    'data, error, message',
    [
        ([torch.zeros(3, 4, 4)], TypeError, 'collate_views'),
        (dict(inputs=torch.zeros(2, 3, 4, 4)), TypeError, 'collate_views'),
        (
            dict(inputs=dict(img=torch.zeros(2, 3, 4, 4))),
            ValueError,
            r"no view 'image' in the batch \(\['img'\]\)",
        ),
        (
            dict(inputs=dict(image=torch.zeros(2, 3, 4, 4))),
            TypeError,
            'torch.float32, expected torch.uint8',
        ),
        (dict(inputs=dict(image=torch.zeros(3, 4, 4).byte())), ValueError, r'shape \(3, 4, 4\)'),
        (
            dict(inputs=dict(image=torch.zeros(2, 1, 4, 4).byte())),
            ValueError,
            r'expected \(N, 3, H, W\)',
        ),
    ],
)
def test_wrong_batches(data, error, message):
    with pytest.raises(error, match=message):
        build()(data)


@pytest.mark.parametrize('options', [dict(mean=[1.0], std=[1.0, 2.0]), dict(mean=[1.0], std=[0.0])])
def test_wrong_options(options):
    with pytest.raises(ValueError, match='one entry per channel'):
        build(**options)

import pytest
import torch
from mmengine.registry import TRANSFORMS

from mmmim.datasets import ImageFolder, MultiView, collate_views
from mmmim.datasets.randomness import sample_rng
from mmmim.datasets.transforms import RandomFlip, RandomResizedCrop
from mmmim.models.preprocessor import ViewsPreprocessor

CROP = dict(type='mmmim.RandomResizedCrop', size=24)
LOCAL = dict(type='mmmim.RandomResizedCrop', size=16, scale=(0.05, 0.25))


def test_names_shapes_and_statistics_through_the_loader(folder):
    views = dict(type='mmmim.MultiView', views=dict(view1=[CROP], view2=[CROP], local=[LOCAL]))
    data = ImageFolder(str(folder), pipeline=[dict(views, repeats=dict(local=3))], seed=0)
    inputs = collate_views([data[(0, i)] for i in range(4)])['inputs']
    assert set(inputs) == {'view1', 'view2', 'local', 'sample_index', 'epoch'}
    assert inputs['view1'].shape == inputs['view2'].shape == (4, 3, 24, 24)
    assert inputs['local'].shape == (4, 3, 3, 16, 16)
    names = ('view1', 'view2', 'local')
    out = ViewsPreprocessor(normalize=names)(dict(inputs=inputs))['inputs']
    single = ViewsPreprocessor(normalize=('image',))
    for k in range(3):
        expected = single(dict(inputs=dict(image=inputs['local'][:, k].contiguous())))
        assert torch.equal(out['local'][:, k], expected['inputs']['image'])


def test_views_and_repeats_differ_and_each_is_its_own_pipeline(picture):
    image = torch.from_numpy(picture(60, 70).copy()).permute(2, 0, 1)
    crop, flip = RandomResizedCrop(24), RandomFlip(0.5)
    build = MultiView(dict(a=[crop, flip], b=[crop], c=[crop]), repeats=dict(c=2))
    out = build(dict(image=image, rng=sample_rng(0, 3, 7), sample_index=7))
    rng = sample_rng(0, 3, 7)  # the branches one after the other, by hand

    def by_hand(*steps):
        results = dict(image=image, rng=rng)
        for step in steps:
            results = step(results)
        return results['image']

    assert torch.equal(out['a'], by_hand(crop, flip))
    assert torch.equal(out['b'], by_hand(crop))
    assert torch.equal(out['c'], torch.stack([by_hand(crop), by_hand(crop)]))
    crops = [out['a'], out['b'], *out['c']]
    assert not any(torch.equal(x, y) for i, x in enumerate(crops) for y in crops[:i])
    assert 'image' not in out and out['sample_index'] == 7


def test_shared_geometry_comes_from_what_stands_before(picture):
    image = torch.from_numpy(picture(60, 70).copy()).permute(2, 0, 1)
    shared = RandomResizedCrop(24)(dict(image=image, rng=sample_rng(0, 0, 0)))
    out = MultiView(dict(image=[], view2=[RandomFlip(1.0)]))(shared)
    assert torch.equal(out['image'].flip(-1), out['view2'])


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(views={}), 'views is empty'),
        (dict(views=dict(a=[CROP]), repeats=dict(b=2)), "'b': 2"),
        (dict(views=dict(a=[CROP]), repeats=dict(a=0)), "'a': 0"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(ValueError, match=message):
        TRANSFORMS.build(dict(type='mmmim.MultiView', **options))

import pytest
import torch
from mmpretrain.structures import DataSample

from mmmim.registry import METRICS

PATHS = ['cls/val/star/0.jpg', 'cls/val/star/1.jpg', 'cls/val/heart/0.jpg', 'cls/val/heart/2.jpg']


def samples(predicted, labels):
    found = []
    for path, pred, label in zip(PATHS, predicted, labels):
        sample = DataSample(metainfo=dict(img_path=f'/data/scenes/{path}'))
        sample.set_gt_label(label).set_pred_label(pred)
        sample.set_pred_score(torch.nn.functional.one_hot(torch.tensor(pred), 3).float())
        found.append(sample.to_dict())
    return found


def metric(tmp_path, lines, **kwargs):
    path = tmp_path / 'list.txt'
    path.write_text('\n'.join(lines) + '\n')
    config = dict(type='mmmim.SubsetAccuracy', ann_file=str(path), topk=(1,), **kwargs)
    return METRICS.build(config)


def test_counts_listed_images_only(tmp_path):
    found = metric(tmp_path, ['star/1.jpg 0', 'heart/0.jpg 1', ''], prefix='away')
    data = samples([0, 2, 1, 2], [0, 0, 1, 1])  # of the listed ones, the second is right
    found.process(None, data[:2])
    found.process(None, data[2:])
    assert found.evaluate(4) == {'away/top1': 50.0}


def test_agrees_with_plain_accuracy_on_the_whole_split(tmp_path):
    data = samples([0, 2, 1, 2], [0, 0, 1, 1])
    ours = metric(tmp_path, ['star/0.jpg 0', 'star/1.jpg 0', 'heart/0.jpg 1', 'heart/2.jpg 1'])
    plain = METRICS.build(dict(type='mmpretrain.Accuracy', topk=(1,)))
    for item in (ours, plain):
        item.process(None, data)
    assert ours.evaluate(4)['subset/top1'] == plain.evaluate(4)['accuracy/top1'] == 50.0


def test_every_image_keeps_its_place_for_the_exchange_between_processes(tmp_path):
    found = metric(tmp_path, ['star/1.jpg 0'])
    found.process(None, samples([0, 0, 0, 0], [0, 0, 1, 1]))
    assert [result is None for result in found.results] == [True, False, True, True]


def test_bad_lists_are_named(tmp_path):
    with pytest.raises(ValueError, match='is empty'):
        metric(tmp_path, [''])
    with pytest.raises(ValueError, match='does not exist'):
        METRICS.build(dict(type='mmmim.SubsetAccuracy', ann_file=str(tmp_path / 'none.txt')))
    other = metric(tmp_path, ['moon/7.jpg 0'])
    other.process(None, samples([0, 0, 0, 0], [0, 0, 1, 1]))
    with pytest.raises(ValueError, match='names none of the evaluated images'):
        other.evaluate(4)

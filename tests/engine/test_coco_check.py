"""Images that an annotation file lists and a folder lacks are named before anything is built."""

import json

import pytest
from helpers import configs
from mmengine.config import Config

from mmmim.engine.config_check import check_config
from mmmim.engine.config_check.coco import missing_images
from mmmim.engine.errors import ConfigError
from mmmim.models.detection.requirements import detection_problem


def write(root, names):
    (root / 'images/sub').mkdir(parents=True)
    content = dict(images=[dict(id=i, file_name=name) for i, name in enumerate(names)])
    content['annotations'] = [dict(id=1, image_id=0, bbox=[0, 0, 1, 1])]
    (root / 'a.json').write_text(json.dumps(content))


def config(root, **changes):
    dataset = dict(
        type='CocoDataset', data_root=f'{root}/', ann_file='a.json', data_prefix=dict(img='images')
    )
    loader = dict(dataset=dict(dataset, **changes))
    return Config(dict(train_dataloader=loader, val_dataloader=loader))


def test_the_file_the_folder_and_the_first_image_are_named(tmp_path):
    names = ['b.jpg', 'sub/c.jpg', 'a "quoted" \u00e9.jpg', 'd.jpg']
    write(tmp_path, names)
    for name in names[:3]:
        (tmp_path / 'images' / name).touch()
    (problem,) = missing_images(config(tmp_path), ('train', 'val'))
    for part in (f'{tmp_path}/a.json', '4 images', "1 are not in '", '/images', "'d.jpg'"):
        assert part in problem
    (tmp_path / 'images/d.jpg').touch()
    assert missing_images(config(tmp_path), ('train',)) == []


def test_a_file_without_images(tmp_path):
    write(tmp_path, [])
    (problem,) = missing_images(config(tmp_path), ('train',))
    assert 'a.json lists no image' in problem


@pytest.mark.parametrize(
    'changes',
    [
        dict(type='CityscapesDataset'),
        dict(ann_file='nowhere.json'),  # the check of paths says so
        dict(backend_args=dict(backend='petrel')),
    ],
)
def test_what_is_left_alone(tmp_path, changes):
    write(tmp_path, ['b.jpg'])
    assert missing_images(config(tmp_path, **changes), ('train',)) == []


@pytest.mark.skipif(detection_problem() is not None, reason=str(detection_problem()))
def test_a_run_of_our_config_does_not_begin(tmp_path):
    write(tmp_path, ['b.jpg'])
    (path,) = configs.CONFIGS.glob('detection/cascade*.py')
    cfg = Config.fromfile(path)
    given = dict(data_root=str(tmp_path), ann_file='a.json', data_prefix=dict(img='images'))
    cfg.train_dataloader.dataset.update(given)
    with pytest.raises(ConfigError, match="cascade.*a.json lists 1 images.*first 'b.jpg'"):
        check_config(cfg, ('train',))

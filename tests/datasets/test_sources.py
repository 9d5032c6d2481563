import json
import os
import pickle
import tarfile

import numpy as np
import pytest
from PIL import Image

from mmmim.datasets.decoding import ImageError
from mmmim.datasets.shards import INDEX, ShardTable, write_index
from mmmim.datasets.sources import find_images


def contents(source):
    return [source.read(i) for i in range(len(source))]


@pytest.fixture
def shards(folder, tmp_path):
    """Two tar files with the six images of ``a`` and of ``b``, and something that is no image."""
    for name in 'ab':
        with tarfile.open(tmp_path / f'{name}.tar', 'w') as tar:
            tar.add(folder / name, arcname=name)
            (tmp_path / 'note.txt').write_text('x')
            tar.add(tmp_path / 'note.txt', arcname='note.txt')
    return tmp_path


@pytest.mark.parametrize('kind', ['folder', 'glob', 'text', 'csv', 'coco', 'shards'])
def test_every_kind_gives_the_same_images(folder, shards, kind):
    whole = find_images(folder)
    names = [whole[i] for i in range(len(whole))]
    (folder / 'list.txt').write_text('\n'.join(names))
    (folder / 'list.csv').write_text('path,label\n' + '\n'.join(f'{n},1' for n in names))
    annotations = dict(images=[dict(id=i, file_name=n) for i, n in enumerate(names)])
    (folder / 'instances_val.json').write_text(json.dumps(annotations))
    specs = dict(
        folder=folder,
        glob=f'{folder}/**/*.jpg',
        text=folder / 'list.txt',
        csv=folder / 'list.csv',
        coco=folder / 'instances_val.json',
        shards=f'{shards}/*.tar',
    )
    source = find_images(specs[kind])
    assert len(source) == 12
    # shards hold the members as tar added them, which sorts them by name
    assert contents(source) == contents(whole)
    assert source.full(3).endswith(names[3])


@pytest.mark.parametrize('place', ['annotations', 'annotations/deep', ''])
def test_images_of_a_coco_file_are_found_where_data_sets_keep_them(tmp_path, place):
    (tmp_path / 'val2017').mkdir()
    (tmp_path / place).mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (4, 4)).save(tmp_path / 'val2017' / '1.jpg')
    path = tmp_path / place / 'instances_val2017.json'
    path.write_text(json.dumps(dict(images=[dict(file_name='1.jpg')])))
    if place.endswith('deep'):
        with pytest.raises(ValueError, match="'1.jpg', is in none of .*--data-root"):
            find_images(path)
        assert len(find_images(tmp_path / 'val2017', str(path))) == 1
    else:
        assert os.path.samefile(find_images(path).full(0), tmp_path / 'val2017' / '1.jpg')


def test_a_shard_is_read_by_place_with_and_without_its_index(shards, monkeypatch):
    plain = ShardTable([shards / 'a.tar', shards / 'b.tar'])
    assert write_index(str(shards / 'a.tar')) == 6
    again = ShardTable([shards / 'a.tar', shards / 'b.tar'])
    assert np.array_equal(plain.places, again.places) and plain.sha256() == again.sha256()
    assert contents(pickle.loads(pickle.dumps(again))) == contents(plain)
    with tarfile.open(shards / 'a.tar') as tar:
        assert plain.read(2) == tar.extractfile(plain[2]).read()
    with open(shards / 'a.tar', 'ab') as file:  # another file now: its index no longer counts
        file.write(bytes(512))
    (shards / f'b.tar{INDEX}').write_bytes(b'none of ours')
    assert contents(find_images(f'{shards}/*.tar')) == contents(plain)


def test_a_shard_cut_short_is_an_image_error(shards):
    table = ShardTable([shards / 'b.tar'])
    os.truncate(shards / 'b.tar', int(table.places[4, 0]) + 10)
    assert table.read(3)
    with pytest.raises(ImageError, match='bytes too early'):
        table.read(4)


def test_what_is_wrong_with_a_source_is_said(shards, folder):
    (shards / 'c.json').write_text('{"images": [{"name": "1.jpg"}]}')
    (shards / 'd.json').write_text('{"images": []}')
    (shards / 'e.json').write_text('{"images": [{"file_name": 5}]}')
    (shards / 'bad.tar').write_bytes(b'x' * 2000)
    with tarfile.open(shards / 'empty.tar', 'w'):
        pass
    cases = [
        (shards / 'c.json', "no annotation file in COCO's format.*'file_name'"),
        (shards / 'd.json', 'lists no image'),
        (shards / 'e.json', "no annotation file in COCO's format.*not int"),
        (shards / 'nowhere.json', 'No such file'),
        (shards / 'x.tar.gz', 'is a packed archive.*unpack it'),
        ('', 'in an empty word'),
        (shards / 'x*.tar', 'there is no tar file'),
        (shards / 'bad.tar', 'cannot be read as an uncompressed tar'),
        (shards / 'empty.tar', 'holds no image'),
        (folder / 'a' / '00.jpg', 'is one file and no list.*shards'),
    ]
    for spec, message in cases:
        with pytest.raises(ValueError, match=message):
            find_images(spec)

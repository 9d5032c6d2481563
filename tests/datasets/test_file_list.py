import os
import pickle

import pytest

from mmmim.datasets.file_list import PathTable, list_files


def touch(root, *names):
    for name in names:
        path = os.path.join(os.fspath(root), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as file:
            file.write(b'x')


def names(table):
    return [table[i] for i in range(len(table))]


def test_folder_is_searched_recursively_in_byte_order(tmp_path):
    touch(
        tmp_path, 'b/2.JPEG', 'b/10.png', 'a/deep/er/x.webp', 'Z.bmp', 'é.tif', 'notes.txt', 'x.pdf'
    )
    assert names(list_files(tmp_path)) == [
        'Z.bmp',
        'a/deep/er/x.webp',
        'b/10.png',
        'b/2.JPEG',
        'é.tif',
    ]
    assert names(list_files(f'{tmp_path}/')) == names(list_files(tmp_path))
    assert os.path.exists(list_files(tmp_path).full(1))


def test_hidden_files_and_mac_leftovers_are_left_out(tmp_path):
    touch(tmp_path, '.cache/1.jpg', '._2.jpg', '__MACOSX/3.jpg', '4.jpg')
    assert names(list_files(tmp_path)) == ['4.jpg']


def test_links_are_followed_once(tmp_path):
    touch(tmp_path, 'real/1.jpg', 'root/2.jpg')
    (tmp_path / 'root' / 'link').symlink_to(tmp_path / 'real')
    (tmp_path / 'real' / 'loop').symlink_to(tmp_path / 'root')
    assert names(list_files(tmp_path / 'root')) == ['2.jpg', 'link/1.jpg']


def test_names_that_are_not_utf8_survive(tmp_path):
    raw = os.fsencode(tmp_path) + b'/caf\xe9.jpg'
    try:
        with open(raw, 'wb') as file:
            file.write(b'x')
    except OSError:
        pytest.skip('file system takes UTF-8 names only')
    table = list_files(tmp_path)
    assert os.path.exists(table.full(0)) and os.fsencode(table[0]) == b'caf\xe9.jpg'


@pytest.mark.parametrize('pattern', ['a/*.jpg', '**/*.jpg'])
def test_glob(tmp_path, pattern):
    touch(tmp_path, 'a/1.jpg', 'a/2.jpg', 'b/3.jpg', 'a/no.doc')
    found = names(list_files(tmp_path, pattern))
    assert found == (
        ['a/1.jpg', 'a/2.jpg'] if pattern == 'a/*.jpg' else ['a/1.jpg', 'a/2.jpg', 'b/3.jpg']
    )
    direct = list_files(os.path.join(tmp_path, pattern))
    assert [direct.full(i) for i in range(len(direct))] == [f'{tmp_path}/{name}' for name in found]


def test_list_files_keep_their_order(tmp_path):
    touch(tmp_path, 'b.jpg', 'a b.jpg', 'c.jpg')
    (tmp_path / 'list.txt').write_text('c.jpg\n# remark\n\na b.jpg\r\nb.jpg\n')
    assert names(list_files(tmp_path, 'list.txt')) == ['c.jpg', 'a b.jpg', 'b.jpg']
    assert names(list_files(tmp_path / 'list.txt')) == ['c.jpg', 'a b.jpg', 'b.jpg']
    assert names(list_files(tmp_path, ['b.jpg', 'c.jpg'])) == ['b.jpg', 'c.jpg']


def test_imagenet_labels_are_ignored(tmp_path):
    touch(tmp_path, 'n01/x 1.jpg', 'n02/y.jpg')
    (tmp_path / 'train.txt').write_text('n01/x 1.jpg 0\nn02/y.jpg 999\n')
    assert names(list_files(tmp_path, 'train.txt')) == ['n01/x 1.jpg', 'n02/y.jpg']


def test_a_number_at_the_end_of_a_name_is_kept(tmp_path):
    touch(tmp_path, 'x.jpg 1', 'x.jpg 2')
    (tmp_path / 'train.txt').write_text('x.jpg 1\nx.jpg 2\n')
    assert names(list_files(tmp_path, 'train.txt')) == ['x.jpg 1', 'x.jpg 2']


def test_csv_column_by_name_or_the_first(tmp_path):
    (tmp_path / 'a.csv').write_text('label,Filename\n3,"x, y.jpg"\n4,z.jpg\n')
    (tmp_path / 'b.tsv').write_text('u.jpg\t1\nv.jpg\t2\n')
    assert names(list_files(tmp_path, 'a.csv')) == ['x, y.jpg', 'z.jpg']
    assert names(list_files(tmp_path, 'b.tsv')) == ['u.jpg', 'v.jpg']


def test_what_is_no_file_neither_stops_nor_blocks_the_search(tmp_path):
    touch(tmp_path, 'a.png', 'b.jpg/c.png')
    (tmp_path / 'itself').symlink_to('itself')
    (tmp_path / 'gone.png').symlink_to('nowhere.png')
    os.mkfifo(tmp_path / 'pipe.png')
    assert names(list_files(tmp_path)) == ['a.png', 'b.jpg/c.png', 'gone.png']


def test_what_is_wrong_is_said(tmp_path):
    touch(tmp_path, 'docs/a.txt', 'docs/b.py', 'one.jpg')
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'empty.txt').write_text('\n')
    cases = [
        ((tmp_path / 'nowhere',), "nowhere' does not exist"),
        ((tmp_path / 'one.jpg',), 'is a file, not a folder'),
        ((tmp_path / 'empty',), 'holds no file'),
        ((tmp_path / 'docs',), 'holds 2 files but no image'),
        ((tmp_path, 'none.txt'), "none.txt' does not exist"),
        ((tmp_path, 'empty.txt'), 'names no image'),
        ((tmp_path, '*.png'), r"pattern '\*.png' names no image"),
    ]
    for args, message in cases:
        with pytest.raises(ValueError, match=message):
            list_files(*args)


def test_table_is_compact_and_hashes_names_only():
    listed = [f'folder/{i}.jpg' for i in range(1000)]
    table = PathTable(listed, 'root')
    assert (
        len(table) == 1000
        and table[999] == 'folder/999.jpg'
        and table.full(0) == 'root/folder/0.jpg'
    )
    assert len(pickle.dumps(table)) < 1000 * (8 + 16)
    assert table.sha256() == PathTable(listed, 'elsewhere').sha256()
    assert table.sha256() != PathTable(listed[:-1], 'root').sha256()
    assert PathTable(['ab', 'c']).sha256() != PathTable(['a', 'bc']).sha256()
    for index in (1000, -1):
        with pytest.raises(IndexError, match='list of 1000'):
            table[index]

import numpy as np
import pytest
from PIL import Image

from mmmim.datasets import shrink


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / 'photos'
    (folder / 'deep').mkdir(parents=True)
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (300, 400, 3), dtype=np.uint8))
    noise.save(folder / 'a.jpg', quality=95)
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    noise.save(folder / 'deep' / 'b.jpg', exif=exif)
    noise.resize((40, 30)).convert('L').save(folder / 'small.png')
    (folder / 'broken.png').write_bytes(b'no picture')
    return folder


def sizes(folder):
    return {path.name: Image.open(path).size for path in sorted(folder.glob('*.jpg'))}


def test_copies_have_the_short_side_and_keep_aspect_and_orientation(photos, tmp_path):
    made = shrink.shrink_folder(photos, tmp_path / 'out', short_side=96)
    assert made.count == 3 and [path[-10:] for path in made.broken] == ['broken.png']
    assert sizes(tmp_path / 'out') == {
        '000000.jpg': (128, 96),
        '000002.jpg': (96, 128),  # between them the broken one
        '000003.jpg': (40, 30),
    }


def test_pixels_are_those_of_a_plain_resize(tmp_path):
    x = np.linspace(0, 255, 800).astype(np.uint8)
    picture = Image.fromarray(np.stack([np.tile(x, (600, 1))] * 3, axis=-1))
    picture.save(tmp_path / 'a.jpg', quality=100)
    shrink.shrink_image(tmp_path / 'a.jpg', tmp_path / 'b.jpg', 96)
    plain = np.asarray(picture.resize((128, 96), Image.Resampling.BICUBIC), int)
    assert abs(np.asarray(Image.open(tmp_path / 'b.jpg'), int) - plain).max() <= 4


def test_second_call_reads_nothing_and_an_interrupted_one_is_completed(
    photos, tmp_path, monkeypatch
):
    out = tmp_path / 'out'
    first = shrink.shrink_folder(photos, out)
    (out / '000002.jpg').unlink()
    seen = []
    work = shrink.shrink_image
    monkeypatch.setattr(shrink, 'shrink_image', lambda *a: (seen.append(a[1].name), work(*a)))
    assert shrink.shrink_folder(photos, out) == first and not seen
    manifest = (out / shrink.MANIFEST).read_text()
    (out / shrink.MANIFEST).write_text(manifest.split(',\n "broken"')[0] + '}')
    assert shrink.shrink_folder(photos, out) == first
    assert sorted(seen) == ['000001.jpg', '000002.jpg']  # the broken one and the missing one


def test_another_list_replaces_the_copies(photos, tmp_path):
    out = tmp_path / 'out'
    shrink.shrink_folder(photos, out)
    (out / 'mine.txt').write_text('not made here')
    assert shrink.shrink_folder(photos / 'deep', out).count == 1
    assert list(sizes(out)) == ['000000.jpg'] and (out / 'mine.txt').exists()


def test_limit_takes_images_spread_over_the_list(tmp_path):
    for index in range(10):
        Image.new('RGB', (8, 8), (20 * index, 0, 0)).save(tmp_path / f'{index}.png')
    shrink.shrink_folder(tmp_path, tmp_path / 'out', limit=3)
    reds = [np.asarray(Image.open(p))[0, 0, 0] for p in sorted((tmp_path / 'out').glob('*.jpg'))]
    assert len(reds) == 3 and np.allclose(reds, [0, 60, 120], atol=3)


def test_list_repeats_few_images_until_it_is_long_enough(photos, tmp_path):
    shrink.shrink_folder(photos, tmp_path / 'out', entries=7)
    lines = (tmp_path / 'out' / shrink.LIST).read_text().split()
    assert lines == ['000000.jpg', '000002.jpg', '000003.jpg'] * 2 + ['000000.jpg']
    shrink.shrink_folder(photos, tmp_path / 'out', entries=2)
    assert len((tmp_path / 'out' / shrink.LIST).read_text().split()) == 3


def test_nothing_readable_is_an_error(tmp_path):
    (tmp_path / 'a.png').write_bytes(b'no picture')
    with pytest.raises(ValueError, match='None of the 1 images'):
        shrink.shrink_folder(tmp_path, tmp_path / 'out')

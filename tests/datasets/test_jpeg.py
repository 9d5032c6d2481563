"""JPEG decoded no further than a crop needs: the same pixels, and the same refusals."""

import io
from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from mmmim.datasets import ImageFolder, RandomResizedCrop, RandomResizedCropViews, decoding, jpeg
from mmmim.datasets.decoding import ImageError, decode, decode_crop
from mmmim.datasets.randomness import sample_rng
from mmmim.fast import plain

KINDS = {
    'half the colours': {},
    'all colours': dict(subsampling=0),
    'half the columns of colours': dict(subsampling='4:2:2'),
    'markers to start again': dict(restart_marker_blocks=3),
    'own tables': dict(optimize=True, quality=97),
    'progressive': dict(progressive=True),
    'grey': dict(grey=True),
    'turned': dict(turned=True),
}


def encoded(pixels, grey=False, turned=False, **options):
    buffer, exif = io.BytesIO(), Image.Exif()
    if turned:
        exif[0x0112] = 6
        options['exif'] = exif
    Image.fromarray(pixels[..., 0].copy() if grey else pixels).save(buffer, 'JPEG', **options)
    return buffer.getvalue()


@pytest.fixture(scope='module')
def noisy(picture):
    rng = np.random.default_rng(0)
    pixels = picture(77, 51).astype(int) + rng.integers(-40, 41, (77, 51, 3))
    return pixels.clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize('decoder', ['simplejpeg', 'torchvision'])
@pytest.mark.parametrize('kind', KINDS)
def test_crops_are_those_of_the_whole(noisy, kind, decoder, monkeypatch):
    if decoder == 'torchvision':
        monkeypatch.setattr(decoding, 'simplejpeg', None)
    elif decoding.simplejpeg is None:
        pytest.skip('simplejpeg is not installed')
    data, shorter = encoded(noisy, **KINDS[kind]), []
    cut = jpeg.cut
    monkeypatch.setattr(decoding, 'cut', lambda *given: shorter.append(cut(*given)) or shorter[-1])
    whole = decode(data)
    with plain('rows'):
        assert torch.equal(decode(data), whole)
    for bottom in range(1, whole.shape[1] + 1):
        part = decode_crop(data, lambda h, w, b=bottom: (b // 3, 5, b - b // 3, 20))
        assert torch.equal(part, whole[:, bottom // 3 : bottom, 5:25])
    saved = sum(one is not None for one in shorter)  # of 77: not the last rows that belong together
    assert saved == 0 if kind in ('progressive', 'turned') else saved >= 60


def test_head(noisy):
    head = jpeg.read_head(encoded(noisy))
    assert (head.height, head.width, head.step, head.in_order) == (77, 51, 16, True)
    grey = jpeg.read_head(encoded(noisy, grey=True))
    assert (grey.height, grey.width, grey.step) == (77, 51, 8)
    assert jpeg.read_head(encoded(noisy, turned=True)) is None
    assert not jpeg.read_head(encoded(noisy, progressive=True)).in_order
    cmyk = io.BytesIO()
    Image.fromarray(noisy).convert('CMYK').save(cmyk, 'JPEG')
    assert jpeg.read_head(cmyk.getvalue()) is None


def test_damaged_heads_are_left_to_pil(noisy, monkeypatch):
    data = encoded(noisy)
    scan = data.index(b'\xff\xda')
    assert all(jpeg.read_head(data[:end]) is None for end in range(2, scan + 4))
    for place in range(2, scan):
        for value in (0, 255):
            jpeg.read_head(data[:place] + bytes([value]) + data[place + 1 :])
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 100)
    assert jpeg.read_head(data) is None


def test_a_file_that_ends_too_early_is_refused_whatever_the_crop(noisy):
    data = encoded(noisy)
    for end in (len(data) - 1, len(data) * 3 // 4):
        with pytest.raises(ImageError):
            decode_crop(data[:end], lambda h, w: (0, 0, 8, 8))


@pytest.mark.parametrize('crop', [RandomResizedCrop, RandomResizedCropViews])
def test_items_are_those_of_whole_images(noisy, tmp_path, crop):
    more = dict(views=dict(small=dict(size=16))) if crop is RandomResizedCropViews else {}
    for name, options in KINDS.items():
        (tmp_path / f'{name}.jpg').write_bytes(encoded(noisy, **options))
    (tmp_path / 'broken.jpg').write_bytes(encoded(noisy)[:900])
    build = partial(ImageFolder, str(tmp_path), pipeline=[crop(32, (0.08, 0.5), **more)])
    dataset = build()
    assert dataset._crop is not None and build(cache='ram')._crop is None
    for index in [(epoch, i) for epoch in range(4) for i in range(len(dataset))]:
        item = dataset[index]
        with plain('rows'):
            other = dataset[index]
        assert item.keys() == other.keys()
        assert all(
            torch.equal(item[k], other[k]) if isinstance(item[k], torch.Tensor)
            else item[k] == other[k] for k in item
        )  # fmt: skip
    assert len(dataset.skipped) == 1 and 'rng' not in item


def test_a_crop_with_a_call_of_its_own_gets_the_whole_image(noisy, tmp_path):
    class Whole(RandomResizedCrop):
        def __call__(self, results):
            self.seen = tuple(results['image'].shape)
            return super().__call__(results)

    (tmp_path / 'x.jpg').write_bytes(encoded(noisy))
    crop = Whole(16)
    item = ImageFolder(str(tmp_path), pipeline=[crop], seed=5)[(1, 0)]
    assert crop.seen == (3, 77, 51)
    direct = RandomResizedCrop(16)(dict(image=decode(encoded(noisy)), rng=sample_rng(5, 1, 0)))
    assert torch.equal(item['image'], direct['image'])

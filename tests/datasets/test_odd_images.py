"""Damaged and odd images in a folder: each is handled as it should look, or skipped by name."""

import io
import time
import zlib

import numpy as np
import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner
from PIL import Image
from torch.utils.data import Dataset

from mmmim.datasets import ImageFolder, SeededDataset
from mmmim.datasets.decoding import ImageError, decode
from mmmim.datasets.skips import TooManyBroken

COLOUR = (200, 90, 40)
SIZE = (20, 30)  # height, width


def encode(image, fmt, **options):
    buffer = io.BytesIO()
    image.save(buffer, fmt, **options)
    return buffer.getvalue()


def plain(mode='RGB'):
    return Image.new('RGB', SIZE[::-1], COLOUR).convert(mode)


def rotated():
    exif = Image.Exif()
    exif[0x0112] = 6  # by 90 degrees
    return encode(plain().rotate(90, expand=True), 'JPEG', exif=exif, quality=95)


def sixteen_bit():
    values = np.full(SIZE, COLOUR[0] * 256 + 17, np.uint16)
    return encode(Image.fromarray(values), 'PNG')


def animated():
    others = [Image.new('RGB', SIZE[::-1], (0, 0, shade)) for shade in (50, 150)]
    return encode(plain(), 'GIF', save_all=True, append_images=others, duration=50)


def bad_checksum():
    data = bytearray(encode(plain(), 'PNG'))
    data[data.index(b'IDAT') + 6] ^= 0xFF
    return bytes(data)


def bomb(side=50_000):
    """A PNG of some kilobytes that unfolds to 7.5 GB."""

    def chunk(name, content):
        check = zlib.crc32(name + content)
        return len(content).to_bytes(4, 'big') + name + content + check.to_bytes(4, 'big')

    header = side.to_bytes(4, 'big') * 2 + bytes([8, 2, 0, 0, 0])
    rows = zlib.compress(bytes(1_000_000), 9)
    return (
        b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', rows) + chunk(b'IEND', b'')
    )


def noise_jpeg():
    rng = np.random.default_rng(0)
    return encode(Image.fromarray(rng.integers(0, 256, (64, 64, 3), dtype=np.uint8)), 'JPEG')


HANDLED = {
    'cmyk.jpg': lambda: encode(plain('CMYK'), 'JPEG', quality=95),
    '16bit.png': sixteen_bit,
    'palette.png': lambda: encode(plain('P'), 'PNG'),
    'animated.gif': animated,
    'rotated.jpg': rotated,
    'grey.jpg': lambda: encode(plain('L'), 'JPEG'),
    'transparent.png': lambda: encode(plain('RGBA'), 'PNG'),
    'one_bit.png': lambda: encode(plain('1'), 'PNG'),
    'a_png_by_another_name.jpg': lambda: encode(plain(), 'PNG'),
}
SKIPPED = {
    'zero.jpg': lambda: b'',
    'truncated.jpg': lambda: noise_jpeg()[:2000],
    'truncated.png': lambda: encode(plain(), 'PNG')[:60],
    'checksum.png': bad_checksum,
    'a_page.jpg': lambda: b'<html>404 not found</html>' * 9,
    'bomb.png': bomb,
}


@pytest.mark.parametrize('name', HANDLED)
def test_odd_images_are_read(name):
    image = decode(HANDLED[name]())
    assert image.shape == (3, *SIZE) and image.dtype == torch.uint8
    colour = image.float().mean((1, 2))
    if name.startswith(('cmyk', 'palette', 'animated', 'rotated', 'trans', 'a_png')):
        assert torch.allclose(colour, torch.tensor(COLOUR).float(), atol=26)  # web palette
    if name.startswith('16bit'):
        assert (image == COLOUR[0]).all()


@pytest.mark.parametrize('name', SKIPPED)
def test_damaged_images_are_an_error_at_once(name):
    data, start = SKIPPED[name](), time.perf_counter()
    with pytest.raises(ImageError):
        decode(data)
    assert time.perf_counter() - start < 5 and len(data) < 20_000


@pytest.fixture
def zoo(tmp_path):
    """The kinds above, a folder that is called like an image, a dangling link, and sound images."""
    root = tmp_path / 'zoo'
    root.mkdir()
    for name, make in {**HANDLED, **SKIPPED}.items():
        (root / name).write_bytes(make())
    (root / 'dangling.jpg').symlink_to(root / 'nowhere.jpg')
    for index in range(16):
        (root / f'sound_{index:02d}.png').write_bytes(encode(plain(), 'PNG'))
    return root


class Mean(BaseModel):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))

    def forward(self, inputs, mode='tensor'):
        images = inputs['image'] if isinstance(inputs, dict) else inputs
        return dict(loss=self.weight * images.float().mean())


def run(dataset, folder):
    loader = dict(
        batch_size=4,
        num_workers=2,
        sampler=dict(type='mmmim.EpochSampler'),
        collate_fn=dict(type='mmmim.collate_views'),
        dataset=dataset,
    )
    runner = Runner(
        model=Mean(),
        work_dir=str(folder),
        train_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=1),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(
            checkpoint=None, logger=None, data_report=dict(type='mmmim.SkippedImagesHook')
        ),
        randomness=dict(seed=21),
        experiment_name=f'zoo-{folder}',
    )
    runner.train()
    return runner


def test_a_run_names_and_lists_what_it_skips(zoo, tmp_path, capfd):
    crop = [dict(type='mmmim.CenterCrop', size=16)]
    keys = dict(type='mmmim.ImageFolder', data_root=str(zoo), pipeline=crop, look_at=1)
    runner = run(keys, tmp_path / 'w')
    missing = {'dangling.jpg'} & set(runner.train_dataloader.dataset.paths)
    names = sorted({*SKIPPED, *missing})
    assert sorted(runner.train_dataloader.dataset.skipped) == names
    assert (tmp_path / 'w/skipped.txt').read_text().splitlines() == names
    log = capfd.readouterr()
    log = log.out + log.err
    assert f'{len(names)} of 3' in log and 'could not be read and were skipped' in log
    assert all(f"skipping image '{zoo}/{name}'" in log for name in names)


def test_the_share_is_limited(tmp_path):
    for index in range(40):
        (tmp_path / f'{index:02d}.jpg').write_bytes(b'' if index % 3 else noise_jpeg())
    dataset = ImageFolder(str(tmp_path), look_at=1)
    with pytest.raises(TooManyBroken, match='11 of 40 images .* max_broken=0.01'):
        for index in range(40):
            dataset[(0, index)]


class Labelled(Dataset):
    """As mmengine's: paths in records, a pipeline that reads with another library."""

    def __init__(self, paths):
        self.paths = paths

    def __len__(self):
        return len(self.paths)

    def get_data_info(self, index):
        return dict(img_path=self.paths[index], sample_idx=index)

    def __getitem__(self, index):
        if index == 5:
            raise KeyError('a defect of the pipeline')
        pixels = np.asarray(Image.open(self.paths[index]).convert('RGB'))
        return dict(inputs=pixels, noise=np.random.rand())


def test_labelled_data_skips_unreadable_images_and_hides_no_defect(tmp_path):
    paths = []
    for index in range(6):
        paths.append(str(tmp_path / f'{index}.png'))
        data = encode(plain(), 'PNG')
        (tmp_path / f'{index}.png').write_bytes(data[:50] if index == 2 else data)
    dataset = SeededDataset(Labelled(paths), seed=1)
    replaced, third = dataset[(0, 2)], dataset[(0, 3)]
    assert replaced['noise'] == third['noise'] != dataset[(1, 3)]['noise']
    assert dataset.skipped == [paths[2]]
    with pytest.raises(KeyError, match='defect'):
        dataset[(0, 5)]

"""Models and images as the tools get them."""

import json
import shutil

import numpy as np
import pytest
import torch
from helpers import configs
from mmengine.config import Config
from mmengine.logging import MMLogger
from PIL import Image

from mmmim.analysis import sources
from mmmim.engine.encoder_file import describe_encoder
from mmmim.engine.errors import ConfigError

NAME = 'demo/mae_vit-demo-p8_1xb128-amp-coslr-30e_scenes-64px.py'
CONFIG = configs.CONFIGS / NAME
CAE = configs.CONFIGS / NAME.replace('mae_', 'cae-rgb_')


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """A whole checkpoint that carries its config, an exported encoder, and both without config."""
    folder = tmp_path_factory.mktemp('files')
    cfg = Config.fromfile(CONFIG)
    model = sources.build_model(cfg, seed=3)
    state = model.state_dict()
    encoder = {n.removeprefix('backbone.'): v for n, v in state.items() if 'backbone.' in n}
    meta = describe_encoder(model, cfg)
    torch.save(dict(state_dict=state, meta=dict(cfg=cfg.pretty_text)), folder / 'epoch_1.pth')
    torch.save(dict(state_dict=state), folder / 'bare.pth')
    torch.save(dict(state_dict=encoder, meta=meta), folder / 'encoder.pth')
    return folder, model.eval()


@pytest.mark.parametrize('given', ['epoch_1.pth', 'encoder.pth', '.'])
def test_a_file_of_ours_is_enough(files, given):
    folder, model = files
    found, cfg = sources.load_model(folder / given)
    assert not found.training
    images = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    normal = sources.normalise(found, images)
    views = dict(inputs=dict(image=images))
    assert torch.equal(normal, model.data_preprocessor(views)['inputs']['image'])
    assert torch.equal(found.backbone(normal)[-1], model.backbone(normal)[-1])
    assert cfg.model.backbone.patch_size == 8


def test_config_and_weights(files):
    folder, model = files
    whole, _ = sources.load_model(CONFIG, folder / 'bare.pth', whole=True)
    for name, value in model.state_dict().items():
        assert torch.equal(whole.state_dict()[name], value), name
    same, _ = sources.load_model(CONFIG, folder, whole=True)  # the newest in a work directory
    assert torch.equal(same.neck.decoder_pred.weight, whole.neck.decoder_pred.weight)
    encoder, _ = sources.load_model(CONFIG, folder / 'encoder.pth', seed=4)
    assert torch.equal(encoder.backbone.pos_embed, model.backbone.pos_embed)
    assert not hasattr(encoder, 'neck')
    for whole in (False, True):
        drawn = [sources.load_model(CONFIG, 'random', seed=s, whole=whole)[0] for s in (4, 4, 5)]
        first, second, third = (entry.backbone.cls_token for entry in drawn)
        assert torch.equal(first, second) and not torch.equal(first, third)


def test_options_change_the_config():
    model, cfg = sources.load_model(
        CONFIG, options={'model.corruption.mask_ratio': 0.5}, whole=True
    )
    assert cfg.model.corruption.mask_ratio == model.corruption.mask_ratio == 0.5


@pytest.mark.parametrize(
    'arguments, words',
    [
        (('encoder.pth', None), 'has no decoder, only an encoder: what is needed is the whole'),
        ((CONFIG, 'encoder.pth'), 'has no decoder, only an encoder'),
        (('bare.pth', None), 'carries no config: give the config file before'),
        (('absent.pth', None), 'absent.pth does not exist'),
        (('absent.py', None), 'there is no config file'),
        ((CAE, 'bare.pth'), 'does not fit'),
    ],
)
def test_what_cannot_be_loaded_is_a_sentence(files, arguments, words):
    folder, _ = files
    source, checkpoint = arguments
    with pytest.raises((ValueError, FileNotFoundError), match=words):
        sources.load_model(folder / source, checkpoint and folder / checkpoint, whole=True)


def test_an_encoder_of_an_older_version_needs_its_config(files, tmp_path):
    folder, model = files
    content = torch.load(folder / 'encoder.pth', weights_only=True)
    del content['meta']['backbone']
    path = tmp_path / 'encoder.pth'
    torch.save(content, path)
    words = rf'encoder.pth carries no config: give the config file \({CONFIG.name}\) before'
    with pytest.raises(ValueError, match=words):
        sources.load_model(path)
    found, _ = sources.load_model(CONFIG, path)
    assert torch.equal(found.backbone.pos_embed, model.backbone.pos_embed)


def test_an_empty_work_directory_is_a_sentence(tmp_path):
    with pytest.raises(ValueError, match=r'holds neither epoch_N.pth .* give a checkpoint or'):
        sources.load_model(tmp_path)


@pytest.mark.parametrize('kind', ['timm', 'hf', 'safetensors'])
def test_exported_folders_are_models_too(files, tmp_path, kind):
    from mmmim.export.command import export

    folder, model = files
    export(folder / 'encoder.pth', kind, tmp_path, check=False)
    found, _ = sources.load_model(tmp_path)
    images = torch.randn(2, 3, 64, 64)
    for one, other in zip(found.backbone(images), model.eval().backbone(images)):
        assert torch.equal(one, other)


def test_a_config_inside_a_checkpoint_is_read_and_not_run(tmp_path):
    text = "a = dict(b=[1, -2.5, (None, True)], **{'c-d': 'x'})\ne = {'f': 1e-3}\n"
    expected = dict(a={'b': [1, -2.5, (None, True)], 'c-d': 'x'}, e=dict(f=1e-3))
    assert sources.parse_literals(text, 'file') == expected
    for code in ('import os', 'a = open("x")', 'a = dict(b=__import__("os"))', 'a = (', 'a.b = 1'):
        with pytest.raises(ConfigError, match='the config inside file cannot be read'):
            sources.parse_literals(code, 'file')


@pytest.mark.parametrize('name', ['mae', 'cae', 'beyond-masking-zoomin-mask', 'dino', 'c-mae'])
def test_printed_configs_are_read_as_they_are(name):
    path = next((configs.CONFIGS / 'demo').glob(f'{name}_*.py'))
    cfg = Config.fromfile(path)
    read = sources.parse_literals(cfg.pretty_text, 'file')
    assert json.dumps(read, sort_keys=True) == json.dumps(cfg.to_dict(), sort_keys=True)


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp('images')
    rng = np.random.default_rng(0)
    for index in range(5):
        pixels = rng.integers(0, 256, (40, 60, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f'{index}.png')
    return folder


def test_images_are_central_crops(folder):
    images = sources.load_images(folder, 9, (40, 30))
    assert images.shape == (5, 3, 40, 30) and images.dtype == torch.uint8
    pixels = np.asarray(Image.open(folder / '2.png'))
    assert np.array_equal(images[2].permute(1, 2, 0), pixels[:, 15:45])
    assert sources.load_images(folder, 2, 64).shape == (2, 3, 64, 64)
    pixels = np.asarray(Image.open(folder / '2.png').convert('L')).astype(int)
    grey = sources.load_images(folder, 9, (40, 60), channels=1)[2, 0].numpy()
    assert abs(grey - pixels).max() <= 1


def test_images_are_spread_or_drawn():
    assert sources.pick(10, 5) == [0, 2, 4, 6, 8] and sources.pick(3, 5) == [0, 1, 2]
    drawn = sources.pick(100, 5, seed=1)
    assert drawn == sources.pick(100, 5, seed=1) != sources.pick(100, 5, seed=2)
    assert len(set(drawn)) == 5 and drawn == sorted(drawn)


@pytest.mark.parametrize(
    'options, words',
    [
        (dict(size=4, smallest=8), 'images of 4x4 pixels are smaller than a patch of 8x8'),
        (dict(size=64, smallest=48), '0.png has 40x60 pixels, less than a patch of 48x48'),
        (dict(size=8, channels=4), '0.png: it has 3 channels, the run reads 4'),
    ],
)
def test_images_that_do_not_do_are_a_sentence(folder, options, words):
    with pytest.raises(ValueError, match=words):
        sources.load_images(folder, 2, **options)


def test_folders_without_images_are_a_sentence(tmp_path):
    with pytest.raises(ValueError, match='holds no file'):
        sources.load_images(tmp_path, 2, 8)
    (tmp_path / 'a.png').write_bytes(b'no picture')
    with pytest.raises(ValueError, match='a.png'):
        sources.load_images(tmp_path, 2, 8)


def test_an_image_that_cannot_be_read_is_left_out_by_name(folder, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(MMLogger, 'warning', lambda self, text: said.append(text))
    shutil.copy(folder / '0.png', tmp_path / '0.png')
    Image.new('RGB', (9, 3)).save(tmp_path / 'small.png')
    assert sources.load_images(tmp_path, 2, 8, smallest=4).shape == (1, 3, 8, 8)
    assert 'small.png has 3x9 pixels, less than a patch' in said.pop()
    (tmp_path / 'small.png').unlink()
    (tmp_path / 'a.png').write_bytes(b'no picture')
    assert sources.load_images(tmp_path, 2, 8).shape == (1, 3, 8, 8)
    assert len(said) == 1 and 'left out: ' in said[0] and 'a.png' in said[0]

"""Exports give the same features where they go, and come back bit for bit."""

import pytest
import torch
from architectures import ENCODERS, write

import mmmim
from mmmim.api.architecture import find_file
from mmmim.export import export
from mmmim.export.to_graph import WRITES_ONNX
from mmmim.transfer import read_checkpoint

PLAIN = [name for name in ENCODERS if name != 'swin']
REFUSED = {
    ('timm', 'swin'): 'merging layers of a Swin',
    ('hf', 'swin'): 'merging layers of a Swin',
    ('onnx', 'swin'): 'merging layers of a Swin',
    ('detectron2', 'beit'): 'by row and column',
    ('hf', 'beyond'): 'have a class token, this encoder has none',
    ('hf', 'scaled'): 'has no LayerScale',
}


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp('files')
    return {name: write(name, folder) for name in ENCODERS}


def images_for(encoder, size=None):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(2, 3, *(size or encoder.img_size), generator=generator)


def strip(folder):
    """The weights of an export without our metadata, as another project would save them."""
    path = find_file(folder)
    content = read_checkpoint(path)
    if path.endswith('.safetensors'):
        from safetensors.torch import save_file

        save_file(content['state_dict'], path)
    else:
        content.pop('meta')
        torch.save(content, path)


def came_back(kind, name, path, folder, **known):
    """Whether an export holds the same encoder, with and without its metadata."""
    source = mmmim.load_encoder(path)
    _, result, left_out = export(path, kind, folder, check=False)
    file = folder / result.files[0]
    wanted = source.backbone.state_dict()
    again = mmmim.load_encoder(file)
    found = again.backbone.state_dict()
    assert list(found) == list(wanted)
    assert all(torch.equal(found[key], wanted[key]) for key in wanted)
    assert again.transform.mean == source.transform.mean == (120.0, 110.0, 100.0)
    assert set(left_out) <= {'mask_token'}
    return source, file


@pytest.mark.parametrize('name', PLAIN)
def test_timm_builds_the_folder_and_gives_the_same_features(files, tmp_path, name):
    timm = pytest.importorskip('timm')
    source, _ = came_back('timm', name, files[name], tmp_path)
    model = timm.create_model(f'local-dir:{tmp_path}', pretrained=True).eval()
    images = images_for(source)
    with torch.no_grad():
        torch.testing.assert_close(
            model.forward_features(images), source.forward_features(images), atol=1e-5, rtol=0
        )
    data = timm.data.resolve_model_data_config(model)
    assert [255 * value for value in data['mean']] == pytest.approx([120.0, 110.0, 100.0])
    assert data['input_size'][1:] == source.img_size
    if source.img_size == (32, 32):
        strip(tmp_path)
        foreign = mmmim.load_encoder(tmp_path)
        assert foreign.transform.mean == pytest.approx(source.transform.mean)
        with torch.no_grad():
            theirs = foreign.forward_features(images)
            torch.testing.assert_close(theirs, source.forward_features(images), atol=1e-5, rtol=0)


@pytest.mark.parametrize('name', [n for n in PLAIN if ('hf', n) not in REFUSED])
def test_transformers_loads_the_folder_and_gives_the_same_features(files, tmp_path, name):
    transformers = pytest.importorskip('transformers')
    source, _ = came_back('hf', name, files[name], tmp_path)
    kind = 'ViTModel' if type(source.backbone).__name__ == 'MaskedViT' else 'BeitModel'
    model = getattr(transformers, kind).from_pretrained(tmp_path, add_pooling_layer=False).eval()
    images = images_for(source)
    with torch.no_grad():
        theirs = model(pixel_values=images).last_hidden_state
        torch.testing.assert_close(theirs, source.forward_features(images), atol=1e-5, rtol=0)
    if source.img_size == (32, 32):
        strip(tmp_path)
        with torch.no_grad():
            theirs = mmmim.load_encoder(tmp_path).forward_features(images)
            torch.testing.assert_close(theirs, source.forward_features(images), atol=1e-5, rtol=0)


def check_graph(source, sizes, run):
    """Both outputs at all sizes, within 1e-4."""
    for size in sizes:
        images = images_for(source, size)
        with torch.no_grad():
            wanted = source(images), source.forward_features(images)
            for ours, theirs in zip(wanted, run(images)):
                torch.testing.assert_close(ours, torch.as_tensor(theirs), atol=1e-4, rtol=0)


def sizes_of(source, name):
    """Relative positions fix the size of a graph."""
    return [source.img_size] if name.startswith('beit') else [source.img_size, (48, 40)]


@pytest.mark.parametrize('name', PLAIN)
def test_torchscript_agrees_at_two_sizes(files, tmp_path, name):
    source = mmmim.load_encoder(files[name])
    _, result, _ = export(files[name], 'torchscript', tmp_path, check=False)
    script = torch.jit.load(tmp_path / result.files[0])
    check_graph(source, sizes_of(source, name), script)


@pytest.mark.parametrize(
    'name',
    ['mae', *(pytest.param(n, marks=pytest.mark.long) for n in ('recomputed', 'beyond', 'beit'))],
)
def test_one_onnx_file_agrees_at_two_sizes(files, tmp_path, name):
    if not WRITES_ONNX:
        pytest.skip('torch 2.4 writes no ONNX of any size')
    pytest.importorskip('onnxscript')
    onnxruntime = pytest.importorskip('onnxruntime')
    source = mmmim.load_encoder(files[name])
    _, result, _ = export(files[name], 'onnx', tmp_path, check=False)
    session = onnxruntime.InferenceSession(str(tmp_path / result.files[0]))
    assert session.get_modelmeta().custom_metadata_map['mean'] == '[120.0, 110.0, 100.0]'
    run = lambda images: session.run(None, dict(images=images.numpy()))  # noqa: E731
    check_graph(source, sizes_of(source, name), run)


@pytest.mark.parametrize('kind', ['mmpretrain', 'mmdet', 'mmseg', 'safetensors', 'mmmim'])
@pytest.mark.parametrize('name', ['mae', 'cae', 'beit', 'swin'])
def test_files_of_tensors_come_back_bit_for_bit(files, tmp_path, kind, name):
    came_back(kind, name, files[name], tmp_path)


def test_detectron2s_names_come_back(files, tmp_path):
    _, file = came_back('detectron2', 'mae', files['mae'], tmp_path)
    state = torch.load(file, weights_only=True)['model']
    assert all(name.startswith('backbone.net.') for name in state)
    assert 'backbone.net.blocks.1.mlp.fc2.weight' in state


@pytest.mark.parametrize('name', ['mae', 'cae', 'beit', 'beit-tables', 'scaled'])
def test_mmpretrains_own_class_takes_the_file(files, tmp_path, name):
    from mmpretrain.registry import MODELS as THEIRS

    from mmmim.export.to_openmmlab import mmpretrain_settings

    source, file = came_back('mmseg', name, files[name], tmp_path)
    pretrained = dict(type='Pretrained', checkpoint=str(file))
    model = THEIRS.build(dict(mmpretrain_settings(source), out_type='raw', init_cfg=pretrained))
    model.eval()
    model.init_weights()
    images = images_for(source)
    with torch.no_grad():
        ours = source.forward_features(images)
        torch.testing.assert_close(model(images)[-1], ours, atol=1e-5, rtol=0)


@pytest.mark.parametrize(('kind', 'name'), REFUSED)
def test_what_has_no_counterpart_is_refused_in_a_sentence(files, tmp_path, kind, name):
    with pytest.raises(ValueError, match=REFUSED[kind, name]):
        export(files[name], kind, tmp_path)

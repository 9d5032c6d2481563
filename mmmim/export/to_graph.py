"""Graphs that run without this toolkit: ONNX and TorchScript."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import warnings
from inspect import signature

import torch

from mmmim.engine.disk import whole_file
from mmmim.engine.errors import EnvironmentProblem

from .portable import PortableEncoder
from .result import Export, compared, installed, join, need, plain_meta, sample_images

WRITES_ONNX = 'dynamic_shapes' in signature(torch.onnx.export).parameters  # torch 2.5
OUTPUTS = ('features', 'tokens')
ONE_SIZE = 'The encoder has relative positions, so the graph takes images of {0}x{1} px alone.'
ANY_SIZE = 'The graph takes images of any size that is a multiple of {0} px.'
ONNX_USAGE = (
    'import onnxruntime\n\n'
    "session = onnxruntime.InferenceSession('{folder}/encoder.onnx')\n"
    'features, tokens = session.run(None, dict(images=images))  # float32 (N, C, H, W), normalised'
)
TORCHSCRIPT_USAGE = (
    'import torch\n\n'
    "encoder = torch.jit.load('{folder}/encoder.torchscript.pt').eval()\n"
    'features, tokens = encoder(images)  # float32 (N, C, H, W), normalised'
)


def prepare(encoder, options) -> tuple[PortableEncoder, tuple[int, int]]:
    """The module to export and the size of the images it is shown.

    Raises:
        ValueError: If the size is no multiple of the patch, or the encoder is a Swin.
    """
    size = tuple(options.size or encoder.img_size)
    if any(side % encoder.patch_size for side in size):
        raise ValueError(
            f'--size {size[0]} {size[1]}: both must be multiples of the patch of '
            f'{encoder.patch_size} px.'
        )
    return PortableEncoder(encoder.cpu(), size).eval(), size


def sizes_to_check(encoder, portable, size) -> list[tuple[int, int]]:
    """The size of the export and, where it takes any, a wider and larger one."""
    patch = encoder.patch_size
    more = [(size[0] + patch, size[1] + 2 * patch)] if portable.is_dynamic else []
    return [size, *more]


def note(encoder, portable, size) -> str:
    return ANY_SIZE.format(encoder.patch_size) if portable.is_dynamic else ONE_SIZE.format(*size)


def export_onnx(encoder, folder, options) -> Export:
    onnx = need('onnx', 'writing ONNX')
    need('onnxscript', 'writing ONNX')
    portable, size = prepare(encoder, options)
    if not WRITES_ONNX:
        raise EnvironmentProblem(
            f'writing ONNX needs torch 2.5 or newer, {torch.__version__} is installed: install it, '
            'or write another format, such as --to torchscript.'
        )
    images = sample_images(encoder, size)
    shapes = {0: torch.export.Dim('batch')}
    if portable.is_dynamic:
        patch = encoder.patch_size
        shapes[2] = patch * torch.export.Dim('rows', min=2)
        shapes[3] = patch * torch.export.Dim('columns', min=2)
    with _quiet(), torch.no_grad():
        program = torch.onnx.export(
            portable,
            (images,),
            dynamo=True,
            opset_version=options.opset,
            input_names=['images'],
            output_names=list(OUTPUTS),
            dynamic_shapes=dict(images=shapes),
            verbose=False,
        )
    model = program.model_proto
    meta = plain_meta(encoder)
    for key, value in dict(mmmim=json.dumps(meta), **_statistics(encoder)).items():
        model.metadata_props.add(key=key, value=value)
    path = join(folder, 'encoder.onnx')
    with whole_file(path) as temporary:
        onnx.save(model, temporary)
    check = None
    if options.check and installed('onnxruntime'):
        check = _check_onnx(encoder, portable, path, size)
    usage = ONNX_USAGE.format(folder=folder)
    opset = next(entry.version for entry in model.opset_import if not entry.domain)
    notes = [note(encoder, portable, size), f'Opset {opset}{_unlike(opset, options.opset)}.']
    return Export(['encoder.onnx'], usage, check, notes)


def _unlike(opset: int, wanted: int) -> str:
    return '' if opset == wanted else f', not {wanted}, to which the graph cannot be converted'


def _statistics(encoder) -> dict:
    return dict(mean=json.dumps(encoder.transform.mean), std=json.dumps(encoder.transform.std))


@torch.no_grad()
def _check_onnx(encoder, portable, path, size) -> str:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])
    return _worst(
        'onnxruntime',
        encoder,
        sizes_to_check(encoder, portable, size),
        lambda images: torch.from_numpy(session.run(None, dict(images=images.numpy()))[1]),
    )


def export_torchscript(encoder, folder, options) -> Export:
    portable, size = prepare(encoder, options)
    with _quiet(), torch.no_grad():
        # A size of its own for each axis, so that no length is taken for another's.
        traced = torch.jit.trace(portable, sample_images(encoder, size), check_trace=False)
    path = join(folder, 'encoder.torchscript.pt')
    extra = {'mmmim.json': json.dumps(plain_meta(encoder))}
    with whole_file(path) as temporary:
        torch.jit.save(traced, temporary, _extra_files=extra)
    check = None
    if options.check:
        loaded = torch.jit.load(path)
        sizes = sizes_to_check(encoder, portable, size)
        check = _worst('torch', encoder, sizes, lambda images: loaded(images)[1])
    usage = TORCHSCRIPT_USAGE.format(folder=folder)
    return Export(['encoder.torchscript.pt'], usage, check, [note(encoder, portable, size)])


@torch.no_grad()
def _worst(library, encoder, sizes, run) -> str:
    """The check at all sizes, largest difference."""
    ours, theirs = [], []
    for size in sizes:
        images = sample_images(encoder, size, count=3)
        ours.append(encoder.forward_features(images).flatten())
        theirs.append(run(images).flatten())
    shown = ' and '.join(f'{height}x{width}' for height, width in sizes)
    return f'{compared(library, torch.cat(ours), torch.cat(theirs))} of {shown} px'


@contextlib.contextmanager
def _quiet():
    """Exporters report each of their steps; errors still come as exceptions."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter('ignore')
            yield
    finally:
        logging.disable(before)

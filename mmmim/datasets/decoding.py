"""From a file to RGB uint8. The only place that knows image formats."""

import functools
import io
import os

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torchvision.io import ImageReadMode, decode_jpeg

# Formats that PIL recognises but cannot decode without a helper program, or that are no pictures.
_STUBS = ('BUFR', 'EPS', 'FITS', 'GRIB', 'HDF5', 'MPEG', 'WMF')
_ORIENTATION = 0x0112  # EXIF tag


class ImageError(ValueError):
    """An image file cannot be read; the message says why, the caller knows which."""


@functools.cache
def image_extensions() -> frozenset:
    """Extensions PIL reads, in lower case with the dot."""
    known = Image.registered_extensions().items()
    return frozenset(ext for ext, fmt in known if fmt in Image.OPEN and fmt not in _STUBS)


def decode(data: bytes) -> Tensor:
    """Decode an image file.

    Any mode becomes RGB: grey is repeated, transparency laid on white, CMYK and palettes converted,
    16 bits per channel reduced to the upper 8, EXIF orientation applied, of animations the first
    frame taken.

    Args:
        data: Content of the file.

    Returns:
        (3, H, W) uint8, a view with the channels innermost in memory.

    Raises:
        ImageError: If it is empty, truncated, too large (PIL's guard against decompression bombs)
            or in no known format.
    """
    if not data:
        raise ImageError('the file is empty')
    try:
        # Naming the format spares PIL to ask its plugins one by one.
        formats = ('JPEG',) if data.startswith(b'\xff\xd8\xff') else None
        with Image.open(io.BytesIO(data), formats=formats) as image:
            if image.format == 'JPEG' and image.mode in ('RGB', 'L') and not _is_turned(image):
                # Same library as PIL underneath, without its passes over the decoded pixels.
                buffer = torch.frombuffer(bytearray(data), dtype=torch.uint8)
                return decode_jpeg(buffer, mode=ImageReadMode.RGB)
            pixels = np.array(to_rgb(ImageOps.exif_transpose(image)))
    except MemoryError:
        raise
    except Exception as error:  # decoders raise anything: OSError, SyntaxError, struct.error ...
        raise ImageError(f'{type(error).__name__}: {error}') from error
    return torch.from_numpy(pixels).permute(2, 0, 1)


def decode_file(path: str) -> Tensor:
    """As :func:`decode`; a file that cannot be opened is an ImageError too."""
    try:
        with open(path, 'rb') as file:
            data = file.read()
    except OSError as error:
        raise ImageError(f'{type(error).__name__}: {error.strerror}') from error
    return decode(data)


def read_size(path: str) -> tuple[int, int]:
    """(H, W) as decoded, from the header alone.

    Raises:
        ImageError: As :func:`decode`.
    """
    try:
        if os.path.getsize(path) == 0:
            raise ImageError('the file is empty')
        with Image.open(path) as image:
            width, height = image.size
            turned = _is_turned(image) and image.getexif()[_ORIENTATION] >= 5  # by 90 degrees
    except Exception as error:
        raise ImageError(f'{type(error).__name__}: {error}') from error
    return (width, height) if turned else (height, width)


def _is_turned(image: Image.Image) -> bool:
    if image.format == 'JPEG' and 'exif' not in image.info:
        return False
    return image.getexif().get(_ORIENTATION, 1) not in (0, 1)


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode of PIL to RGB."""
    if image.mode == 'RGB':
        return image
    if image.mode == 'F' or image.mode.startswith('I'):
        return _narrow(image).convert('RGB')
    if image.mode in ('RGBA', 'LA', 'PA', 'La', 'RGBa') or 'transparency' in image.info:
        image = image.convert('RGBA')
        white = Image.new('RGBA', image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert('RGB')
    return image.convert('RGB')


def _narrow(image: Image.Image) -> Image.Image:
    """16-bit, 32-bit and float grey to 8 bits; PIL itself would clip at 255.

    Integers are taken for 16 bits; float for [0, 1], else [0, 255], whichever holds the maximum.
    """
    values = np.asarray(image).astype(np.float64)
    if not np.isfinite(values).all():
        raise ImageError('pixel values are not finite')
    low, high = float(values.min()), float(values.max())
    top = 65535.0 if image.mode != 'F' else 1.0 if high <= 1 else 255.0
    if low < 0 or high > top:
        raise ImageError(f'values {low:g} to {high:g} of mode {image.mode} exceed [0, {top:g}]')
    scaled = values // 256 if top == 65535.0 else np.rint(values * (255 / top))
    return Image.fromarray(scaled.astype(np.uint8))

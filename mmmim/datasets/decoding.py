"""From a file to pixels: RGB of 8 bits here, other channels and depths through raw_pixels.py."""

import functools
import io
from collections.abc import Callable

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torchvision.io import ImageReadMode, decode_jpeg

from mmmim.fast import is_fast

from .jpeg import Head, cut, read_head
from .pixel_format import RGB, PixelFormat, fit, to_depth
from .raw_pixels import NUMPY, TIFF, Header, read_header, read_raw

try:
    import simplejpeg  # a tenth faster than torchvision
except ImportError:
    simplejpeg = None

# Formats that PIL recognises but cannot decode without a helper program, or that are no pictures.
_STUBS = ('BUFR', 'EPS', 'FITS', 'GRIB', 'HDF5', 'MPEG', 'WMF')
_ORIENTATION = 0x0112  # EXIF tag


class ImageError(ValueError):
    """An image file cannot be read; the message says why, the caller knows which."""


@functools.cache
def image_extensions() -> frozenset:
    """Extensions that can be read, PIL's and .npy, in lower case with the dot."""
    known = Image.registered_extensions().items()
    ours = frozenset(ext for ext, fmt in known if fmt in Image.OPEN and fmt not in _STUBS)
    return ours | {'.npy'}


def decode(data: bytes, form: PixelFormat = RGB) -> Tensor:
    """Decode an image file.

    With the default format any photograph becomes RGB: grey is repeated, transparency laid on
    white, CMYK and palettes converted, 16 bits per channel reduced to the upper 8, EXIF orientation
    applied, of animations the first frame taken. Other formats: see
    :func:`~mmmim.datasets.pixel_format.fit`.

    Args:
        data: Content of the file.
        form: Channels and bits wanted.

    Returns:
        (C, H, W) uint8, or uint16 for 16 bits; a view with the channels innermost in memory.

    Raises:
        ImageError: If it is empty, truncated, too large (PIL's guard against decompression bombs),
            in no known format, or of other channels than wanted.
    """
    if not data:
        raise ImageError('the file is empty')
    try:
        if data.startswith(b'\xff\xd8\xff'):
            return _decode_jpeg(data, form)
        if form == RGB and not data.startswith((NUMPY, *TIFF)):
            with Image.open(io.BytesIO(data)) as image:
                return _as_tensor(to_rgb(ImageOps.exif_transpose(image)))
        return fit(read_raw(data), form)
    except (MemoryError, ImageError):
        raise
    except Exception as error:  # decoders raise anything: OSError, SyntaxError, struct.error ...
        raise _explained(error) from error


def decode_crop(
    data: bytes, draw: Callable[[int, int], tuple[int, int, int, int]], form: PixelFormat = RGB
) -> Tensor:
    """A part of an image: the same as of :func:`decode`, without the rows below where possible.

    Args:
        data: Content of the file.
        draw: (H, W) of the image -> (top, left, height, width) of the part.
        form: Channels and bits wanted.

    Returns:
        (C, height, width), a view as in :func:`decode`.

    Raises:
        ImageError: As :func:`decode`. What is damaged below the part alone may go unnoticed.
    """
    head = None
    if form == RGB and data.startswith(b'\xff\xd8\xff') and is_fast('rows'):
        head = read_head(data)
    if head is None:
        image = decode(data, form)
        top, left, h, w = draw(*image.shape[1:])
        return image[:, top : top + h, left : left + w]
    top, left, h, w = draw(head.height, head.width)
    rows = _decode_rows(data, head, top + h)
    return torch.from_numpy(rows[top : top + h, left : left + w]).permute(2, 0, 1)


def _decode_rows(data: bytes, head: Head, count: int) -> np.ndarray:
    """(at least ``count``, W, 3) of a plain JPEG."""
    shorter = cut(data, head, count)
    try:
        # What follows a cut, the decoder takes for damage.
        return _plain_jpeg(data, True) if shorter is None else _plain_jpeg(shorter, False)
    except (MemoryError, ImageError):
        raise
    except Exception as error:
        raise _explained(error) from error


def _decode_jpeg(data: bytes, form: PixelFormat) -> Tensor:
    if form == RGB and is_fast('rows') and read_head(data) is not None:
        return _decode_plain_jpeg(data)
    # Naming the format spares PIL to ask its plugins one by one.
    with Image.open(io.BytesIO(data), formats=('JPEG',)) as image:
        if image.mode in ('RGB', 'L') and not _is_turned(image) and form == RGB:
            return _decode_plain_jpeg(data)
        if form == RGB:
            return _as_tensor(to_rgb(ImageOps.exif_transpose(image)))
    return fit(read_raw(data), form)


def _decode_plain_jpeg(data: bytes) -> Tensor:
    return torch.from_numpy(_plain_jpeg(data)).permute(2, 0, 1)


def _plain_jpeg(data: bytes | bytearray, strict: bool = True) -> np.ndarray:
    """The library that PIL has underneath, without PIL's passes over the decoded pixels: the same
    values, (H, W, 3)."""
    if simplejpeg is not None:
        try:
            return simplejpeg.decode_jpeg(data, 'RGB', strict=strict)
        except ValueError:  # it objects to what others read: they shall judge
            pass
    buffer = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    return decode_jpeg(buffer, mode=ImageReadMode.RGB).permute(1, 2, 0).numpy()


def _as_tensor(image: Image.Image) -> Tensor:
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def _explained(error: Exception) -> ImageError:
    if type(error) is ValueError:
        return ImageError(str(error))
    if isinstance(error, UnidentifiedImageError):  # whose text is the address of a buffer
        return ImageError('it is no image of a known format')
    return ImageError(f'{type(error).__name__}: {error}')


def decode_file(path: str, form: PixelFormat = RGB) -> Tensor:
    """As :func:`decode`; a file that cannot be opened is an ImageError too."""
    try:
        with open(path, 'rb') as file:
            data = file.read()
    except OSError as error:
        raise ImageError(f'{type(error).__name__}: {error.strerror}') from error
    return decode(data, form)


def inspect(file) -> Header:
    """Size, channels and depth from the header alone.

    Args:
        file: Path, or binary file object at its start.

    Raises:
        ImageError: As :func:`decode`.
    """
    try:
        if not hasattr(file, 'read'):
            with open(file, 'rb') as opened:
                return inspect(opened)
        if not file.read(1):
            raise ImageError('the file is empty')
        file.seek(0)
        return read_header(file)
    except ImageError:
        raise
    except Exception as error:
        raise _explained(error) from error


def read_size(path: str) -> tuple[int, int]:
    """(H, W) as decoded, from the header alone.

    Raises:
        ImageError: As :func:`decode`.
    """
    return inspect(path)[:2]


def _is_turned(image: Image.Image) -> bool:
    if image.format == 'JPEG' and 'exif' not in image.info:
        return False
    return image.getexif().get(_ORIENTATION, 1) not in (0, 1)


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode of PIL to RGB."""
    if image.mode == 'RGB':
        return image
    if image.mode == 'F' or image.mode.startswith('I'):
        grey = to_depth(np.asarray(image)[..., None], bits=8)
        return Image.fromarray(grey[..., 0]).convert('RGB')
    if image.mode in ('RGBA', 'LA', 'PA', 'La', 'RGBa') or 'transparency' in image.info:
        image = image.convert('RGBA')
        white = Image.new('RGBA', image.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, image).convert('RGB')
    return image.convert('RGB')

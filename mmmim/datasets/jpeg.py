"""JPEG: what its head says, and how to decode no more rows than a crop needs.

A sequential JPEG holds its rows from top to bottom. Told in its head that it ends sooner, a decoder
stops there, and what it has decoded is the same: the height is all that is changed.
"""

import struct
from typing import NamedTuple

from PIL import Image

_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive; all that libjpeg decodes
_PROGRESSIVE, _SCAN, _EXIF = 0xC2, 0xDA, 0xE1
_END = b'\xff\xd9'


class Head(NamedTuple):
    """Of a JPEG file of 8 bits, grey or of three channels.

    Attributes:
        height, width: In pixels.
        place: Where in the file the height stands, in two bytes.
        step: Rows that are coded together.
        in_order: Whether rows follow each other, in one scan that is there to its end.
    """

    height: int
    width: int
    place: int
    step: int
    in_order: bool


def read_head(data: bytes) -> Head | None:
    """Walk over the markers up to the pixels, in a tenth of the time that PIL takes.

    Args:
        data: The file.

    Returns:
        None where PIL shall look: EXIF, which may ask to turn the image, CMYK, other depths, more
        pixels than PIL opens without a word, or what is damaged.
    """
    frame, place = None, 2
    try:
        while True:
            lead, marker, length = struct.unpack_from('>BBH', data, place)
            if lead != 0xFF or length < 2:
                return None
            if marker == _SCAN:
                return frame and _checked(data, frame, data[place + 4])
            if marker == _EXIF and data[place + 4 : place + 8] == b'Exif':
                return None
            if marker in _FRAMES:
                frame = marker, place + 5
            place += 2 + length
    except (struct.error, IndexError):
        return None


def _checked(data, frame, channels_in_scan):
    marker, place = frame
    bits, height, width, channels = struct.unpack_from('>BHHB', data, place - 1)
    limit = Image.MAX_IMAGE_PIXELS or 1 << 40
    if bits != 8 or channels not in (1, 3) or not 0 < height * width <= limit:
        return None
    step = 8 * max(data[place + 6 + 3 * channel] & 15 for channel in range(channels))
    if not step:
        return None
    in_order = marker != _PROGRESSIVE and channels == channels_in_scan and data.endswith(_END)
    return Head(height, width, place, step, in_order)


def cut(data: bytes, head: Head, rows: int) -> bytearray | None:
    """The file as one of at least ``rows`` rows, equal to those of the whole.

    Args:
        data: The file.
        head: Its head.
        rows: Wanted, from the top.

    Returns:
        None if nothing would be saved.
    """
    # Colours of half the resolution are interpolated: two rows more have a say.
    rows = -(-(rows + 2) // head.step) * head.step
    if not head.in_order or rows >= head.height:
        return None
    shorter = bytearray(data)
    struct.pack_into('>H', shorter, head.place, rows)
    return shorter

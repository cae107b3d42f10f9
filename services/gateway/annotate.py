"""Page pictures for people: drawn by the renderer, boxes drawn here."""

import io
from enum import StrEnum

from PIL import Image, ImageDraw, ImageFont

from shared.domain.detection import Detection, Kind, Page
from shared.pages.renderer import RenderedPage

_COLOURS = {Kind.SIGNATURE: (0, 110, 220), Kind.INITIALS: (0, 140, 70), Kind.STAMP: (190, 80, 0)}


def picture(page: RenderedPage) -> Image.Image:
    """The page's raster as an image; grey pages stay grey, which makes them a third as large."""
    if page.raster.strides[2] == 0:  # the renderer repeats one channel for grey pages
        return Image.fromarray(page.raster[:, :, 0])
    return Image.fromarray(page.raster)


def draw_boxes(image: Image.Image, page: Page, *, with_confidence: bool = True) -> Image.Image:
    """The page's image, of any size, in colour with a box and its confidence for each detection."""
    coloured = image.convert("RGB")
    pen = ImageDraw.Draw(coloured)
    # Not one scale for both: a fax that was examined before its lines were stretched has been found half as high.
    scale = (image.width / page.width, image.height / page.height)
    line = max(2, image.width // 400)
    font = ImageFont.load_default(size=max(10, image.width // 60))
    for one in page.detections:
        label = f"{one.kind} {one.confidence:.0%}" if with_confidence else one.kind.value
        _draw_box(pen, one, label, scale, line, font)
    return coloured


def _draw_box(
    pen: ImageDraw.ImageDraw,
    one: Detection,
    label: str,
    scale: tuple[float, float],
    line: int,
    font: ImageFont.ImageFont | ImageFont.FreeTypeFont,
) -> None:
    colour = _COLOURS[one.kind]
    left, top = one.box.x * scale[0], one.box.y * scale[1]
    right, bottom = left + one.box.width * scale[0], top + one.box.height * scale[1]
    pen.rectangle((left, top, right, bottom), outline=colour, width=line)
    _, _, width, height = pen.textbbox((0, 0), label, font=font)
    above = max(0.0, top - height - 2 * line)
    pen.rectangle((left, above, left + width + 2 * line, above + height + 2 * line), fill=colour)
    pen.text((left + line, above + line // 2), label, fill="white", font=font)


class PictureFormat(StrEnum):
    """PNG shows every pixel as it is; JPEG is a third of its size and made in a tenth of the time."""

    PNG = "png"
    JPEG = "jpeg"


_SAVING: dict[PictureFormat, dict[str, int]] = {
    # Fast rather than small: these are looked at once or twice.
    PictureFormat.PNG: {"compress_level": 2},
    PictureFormat.JPEG: {"quality": 80},
}


def encode(image: Image.Image, wanted: PictureFormat) -> bytes:
    """The picture's bytes."""
    buffer = io.BytesIO()
    image.save(buffer, wanted.value.upper(), **_SAVING[wanted])
    return buffer.getvalue()

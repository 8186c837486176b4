"""What happens to a sheet between the laboratory and us. Each function takes a picture and gives another."""

from __future__ import annotations

from io import BytesIO
from random import Random

from PIL import Image, ImageChops, ImageFilter

_DESK = (92, 84, 76)


def turn(picture: Image.Image, degrees: float) -> Image.Image:
    """Counter-clockwise; what appears at the corners is the desk."""
    return picture.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=_DESK)


def blur(picture: Image.Image, radius: float) -> Image.Image:
    """A camera that missed the focus."""
    return picture.filter(ImageFilter.GaussianBlur(radius))


def fade(picture: Image.Image) -> Image.Image:
    """Grey ink on grey paper: a photocopy of a photocopy."""
    return picture.point(lambda level: int(118 + level * 0.36))


def compress(picture: Image.Image, quality: int) -> Image.Image:
    """As messengers do it to photos."""
    target = BytesIO()
    picture.save(target, format="JPEG", quality=quality)
    return Image.open(BytesIO(target.getvalue())).convert("RGB")


def grain(picture: Image.Image, random: Random, share: float = 0.12) -> Image.Image:
    """A sensor in poor light."""
    noise = Image.frombytes("RGB", picture.size, random.randbytes(3 * picture.width * picture.height))
    return Image.blend(picture, noise, share)


def shade(picture: Image.Image) -> Image.Image:
    """Somebody's hand between the lamp and the paper."""
    slope = Image.linear_gradient("L").rotate(35, expand=True).crop((60, 60, 300, 300)).resize(picture.size)
    return ImageChops.multiply(picture, slope.point(lambda level: 90 + level * 165 // 255).convert("RGB"))


def tilt(picture: Image.Image, strength: float = 0.05) -> Image.Image:
    """Photographed from below: the top is farther away, so it is narrower."""
    width, height = picture.size
    room = Image.new("RGB", (width + 80, height + 80), _DESK)
    room.paste(picture, (40, 40))
    inset = strength * width
    # Pillow wants the inverse: where each corner of the result comes from.
    corners = ((-inset, 0), (0, height), (width, height), (width + inset, 0))
    quad = tuple(coordinate + 40 for corner in corners for coordinate in corner)
    return room.transform(picture.size, Image.Transform.QUAD, quad, Image.Resampling.BICUBIC, fillcolor=_DESK)

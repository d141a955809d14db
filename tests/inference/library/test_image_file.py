"""Pictures of a library, and of questions, keep their tones whatever depth they have."""

import io

import numpy as np
from PIL import Image

from inference.engines.vision.image_tokens import decode_image
from inference.library.image_file import decode, suffix_of

RAMP = np.tile(np.linspace(0, 65_535, 256).round().astype("uint16"), (8, 1))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def test_sixteen_bits_do_not_become_white() -> None:
    data = saved(Image.fromarray(RAMP), "PNG")
    for image in (decode(data), decode_image(data)):
        tones = [image.convert("L").getpixel((x, 0)) for x in (0, 64, 128, 255)]
        assert tones == [0, 64, 128, 255]


def test_a_photograph_with_a_gain_map_is_a_jpeg() -> None:
    photo, gain = Image.new("RGB", (8, 8), "blue"), Image.new("L", (4, 4))
    assert suffix_of(saved(photo, "MPO", save_all=True, append_images=[gain])) == ".jpg"

"""Scenes for training: a few coloured shapes, or a number, on a plain ground.

Places and sizes are fractions of the image, x to the right and y downwards, so that a scene can be
drawn at any size.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFont

RGB = tuple[int, int, int]
Points = list[tuple[float, float]]

SHAPES = ("circle", "square", "triangle", "star", "diamond", "hexagon", "heart", "cross")

# Several shades that people call by the same name; each is varied a little more when drawn.
COLORS: dict[str, tuple[RGB, ...]] = {
    "red": ((255, 0, 0), (220, 40, 40), (200, 20, 30), (214, 39, 40)),
    "orange": ((255, 140, 0), (255, 127, 14), (245, 130, 30), (255, 165, 0)),
    "yellow": ((255, 255, 0), (240, 215, 40), (255, 225, 25), (250, 230, 60)),
    "green": ((0, 128, 0), (0, 255, 0), (40, 170, 60), (44, 160, 44), (60, 200, 80)),
    "blue": ((0, 0, 255), (50, 80, 220), (31, 119, 180), (30, 100, 240), (20, 50, 160)),
    "purple": ((128, 0, 128), (150, 60, 180), (148, 103, 189), (110, 30, 160)),
    "pink": ((255, 192, 203), (255, 105, 180), (250, 150, 200), (245, 130, 180)),
    "brown": ((139, 69, 19), (120, 75, 40), (150, 85, 30), (100, 60, 30)),
    "black": ((0, 0, 0), (20, 20, 20), (30, 30, 35)),
    "white": ((255, 255, 255), (245, 245, 245), (250, 250, 245)),
    "gray": ((128, 128, 128), (150, 150, 150), (110, 112, 115), (160, 162, 165)),
}
GROUNDS: tuple[RGB, ...] = (
    *((255, 255, 255),) * 4,
    (240, 240, 240),
    (235, 235, 220),
    (220, 235, 245),
    (225, 240, 225),
    (250, 235, 225),
    (30, 30, 40),
    (0, 0, 0),
    (60, 70, 90),
)
SHADE = 10  # variation of a colour channel
CONTRAST = 150  # between a thing and the ground, summed over the channels

MOST_THINGS = 6
GAP = 0.025  # between things
TRIES = 60  # to find a free place, before the thing is left out


@dataclass(frozen=True)
class Thing:
    shape: str
    color: str
    fill: RGB
    x: float  # of its centre
    y: float
    r: float  # of the circle around it
    turn: float = 0.0  # radians; small, so that it stays the same shape

    @property
    def key(self) -> tuple[str, str]:
        return self.color, self.shape


@dataclass(frozen=True)
class Scene:
    ground: RGB
    things: tuple[Thing, ...] = ()
    number: str = ""  # digits, instead of things
    number_at: tuple[float, float] = (0.5, 0.5)
    number_height: float = 0.4
    number_color: str = "black"
    number_fill: RGB = (0, 0, 0)
    font: int = 0  # the font's index


def random_scene(rng: Random) -> Scene:
    ground = _vary_color(rng, rng.choice(GROUNDS), 4)
    if rng.random() < 0.2:
        return _number_scene(rng, ground)
    return Scene(ground, tuple(_things(rng, ground, rng.randint(1, MOST_THINGS))))


def _number_scene(rng: Random, ground: RGB) -> Scene:
    digits = rng.choice((1, 1, 2, 2, 3, 4))
    color, fill = _color(rng, ground, tuple(COLORS))
    height = rng.uniform(0.22, min(0.75, 1.2 / digits))
    half_width = 0.33 * height * digits
    return Scene(
        ground,
        number="".join(rng.choice("0123456789") for _ in range(digits)),
        number_at=(_random_center(rng, half_width), _random_center(rng, height / 2)),
        number_height=height,
        number_color=color,
        number_fill=fill,
        font=rng.randrange(1_000),
    )


def _random_center(rng: Random, half: float) -> float:
    margin = min(half + 0.02, 0.5)
    return rng.uniform(margin, 1 - margin)


def _things(rng: Random, ground: RGB, wanted: int) -> Iterator[Thing]:
    """Place things; some scenes have few colours and shapes, to have something to count."""
    colors = rng.sample(tuple(COLORS), rng.choice((2, 3, len(COLORS))))
    shapes = rng.sample(SHAPES, rng.choice((1, 2, 3, len(SHAPES), len(SHAPES))))
    widest = 0.2 if wanted <= 3 else 0.15
    placed: list[Thing] = []
    for _ in range(wanted):
        shape = rng.choice(shapes)
        color, fill = _color(rng, ground, colors)
        r = rng.uniform(0.075, widest)
        if place := _free_place(rng, r, placed):
            turn = rng.uniform(-0.15, 0.15) if rng.random() < 0.5 else 0.0
            placed.append(Thing(shape, color, fill, *place, r, turn))
            yield placed[-1]


def _free_place(rng: Random, r: float, placed: Sequence[Thing]) -> tuple[float, float] | None:
    for _ in range(TRIES):
        x, y = rng.uniform(r + 0.01, 0.99 - r), rng.uniform(r + 0.01, 0.99 - r)
        if all(math.dist((x, y), (t.x, t.y)) > r + t.r + GAP for t in placed):
            return x, y
    return None


def _color(rng: Random, ground: RGB, names: Sequence[str]) -> tuple[str, RGB]:
    while True:
        name = rng.choice(names)
        fill = _vary_color(rng, rng.choice(COLORS[name]), SHADE)
        if sum(abs(a - b) for a, b in zip(fill, ground, strict=True)) >= CONTRAST:
            return name, fill
        names = tuple(COLORS)


def _vary_color(rng: Random, color: RGB, most: int) -> RGB:
    red, green, blue = (max(0, min(255, c + rng.randint(-most, most))) for c in color)
    return red, green, blue


# --- drawing ------------------------------------------------------------------------------------


def random_size(rng: Random) -> tuple[int, int]:
    """Return an image size in pixels: mostly square, sometimes wide or tall."""
    side = rng.randint(112, 288)
    if rng.random() < 0.6:
        return side, side
    other = int(side * rng.uniform(0.6, 1.0))
    return (side, other) if rng.random() < 0.5 else (other, side)


def draw_scene(scene: Scene, size: tuple[int, int]) -> Image.Image:
    """Draw an RGB image of `size`. Shapes keep their form if it is not square."""
    image = Image.new("RGB", size, scene.ground)
    canvas = ImageDraw.Draw(image)
    for thing in scene.things:
        _draw_thing(canvas, thing, size)
    if scene.number:
        height = scene.number_height * min(size)
        canvas.text(
            (scene.number_at[0] * size[0], scene.number_at[1] * size[1]),
            scene.number,
            fill=scene.number_fill,
            font=_font(scene.font % count_fonts(), round(height)),
            anchor="mm",
        )
    return image


def measure_number_width(scene: Scene, size: tuple[int, int]) -> float:
    """Return the width in pixels of the number in an image of `size`."""
    font = _font(scene.font % count_fonts(), round(scene.number_height * min(size)))
    return font.getlength(scene.number)


def _draw_thing(canvas: ImageDraw.ImageDraw, thing: Thing, size: tuple[int, int]) -> None:
    x, y, r = thing.x * size[0], thing.y * size[1], thing.r * min(size)
    if thing.shape == "circle":
        canvas.ellipse((x - r, y - r, x + r, y + r), fill=thing.fill)
        return
    cos, sin = math.cos(thing.turn), math.sin(thing.turn)
    outline = [
        (x + r * (px * cos - py * sin), y + r * (px * sin + py * cos))
        for px, py in OUTLINES[thing.shape]
    ]
    canvas.polygon(outline, fill=thing.fill)


def _regular(corners: int, first: float = -math.pi / 2) -> Points:
    angles = [first + 2 * math.pi * i / corners for i in range(corners)]
    return [(math.cos(a), math.sin(a)) for a in angles]


def _star() -> Points:
    points = _regular(10)
    return [(x, y) if i % 2 == 0 else (0.42 * x, 0.42 * y) for i, (x, y) in enumerate(points)]


def _heart() -> Points:
    turns = [2 * math.pi * i / 40 for i in range(40)]
    xs = [16 * math.sin(t) ** 3 / 17 for t in turns]
    ys = [
        -(13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 17
        for t in turns
    ]
    return list(zip(xs, ys, strict=True))


def _cross(half: float = 0.32) -> Points:
    quarter = [(half, -0.95), (half, -half), (0.95, -half)]
    points: Points = []
    for _ in range(4):
        points += quarter
        quarter = [(-y, x) for x, y in quarter]
    return points


OUTLINES: dict[str, Points] = {
    "square": _regular(4, math.pi / 4),
    "triangle": _regular(3),
    "star": _star(),
    "diamond": [(0, -1), (0.7, 0), (0, 1), (-0.7, 0)],
    "hexagon": _regular(6, 0),
    "heart": _heart(),
    "cross": _cross(),
}


def find_fonts() -> list[Path]:
    """Find matplotlib's DejaVu fonts: upright and slanted, with and without serifs."""
    try:
        import matplotlib as mpl  # noqa: PLC0415  (a second to import, for the sake of its files)
    except ImportError:
        return []
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    return sorted(path for path in folder.glob("DejaVu*.ttf") if "Display" not in path.name)


@cache
def _font_files() -> list[Path]:
    return find_fonts()


def count_fonts() -> int:
    return len(_font_files()) + 1  # and Pillow's default font


@cache
def _font(index: int, height: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    files = _font_files()
    size = max(height, 8)
    return ImageFont.truetype(files[index], size) if index < len(files) else _own_font(size)


def _own_font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)

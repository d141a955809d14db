"""`python -m bench.article.draw`: draws the public set again, the same to the last pixel.

`drawings.jsonl` says what is drawn for each entry of the manifest.

It needs Noto Serif CJK (Debian: fonts-noto-cjk) and DejaVu Sans.
"""

import random
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from zlib import crc32

import msgspec
from PIL import Image, ImageDraw, ImageFont

from inference.library.image_entry import read_manifest, write_manifest

FOLDER = Path(__file__).with_name("pictures")
SIZE = 560, 420
FONT = "/usr/share/fonts/opentype/noto/NotoSerifCJK-Bold.ttc"
DRAWINGS = Path(__file__).with_name("drawings.jsonl")

Pen = ImageDraw.ImageDraw


class Drawing(msgspec.Struct, frozen=True):
    """A drawing for an entry of the manifest.

    Some intentionally show something else than the entry says.
    """

    path: str
    scene: str
    title: str = ""  # written in the picture
    near: tuple[str, ...] = ()  # other names on a map


def main() -> None:
    lines = DRAWINGS.read_bytes().splitlines()
    drawings = {each.path: each for each in (msgspec.json.decode(n, type=Drawing) for n in lines)}
    entries = []
    for entry in read_manifest(FOLDER):
        path = FOLDER / entry.path
        _draw(drawings[entry.path]).quantize(24).save(path, optimize=True)
        digest = sha256(path.read_bytes()).hexdigest()
        entries.append(msgspec.structs.replace(entry, sha256=digest))
    write_manifest(FOLDER, entries)


def _draw(drawing: Drawing) -> Image.Image:
    ground = "#f4ecd8" if drawing.scene in ("map", "portrait") else "#cfe4f2"
    image = Image.new("RGB", SIZE, ground)
    pen, chance = ImageDraw.Draw(image), random.Random(crc32(drawing.path.encode()))
    SCENES[drawing.scene](pen, chance)
    if drawing.scene == "map":
        for name in drawing.near:
            at = chance.randrange(40, 400), chance.randrange(110, 380)
            pen.text(at, name, font=_font(17), fill="#333333")
    if drawing.title:
        label = (0, 0, SIZE[0], 52) if drawing.scene == "map" else (90, 366, 470, 414)
        pen.rectangle(label, fill="#ffffff")
        pen.text((label[0] + 18, label[1] + 2), drawing.title, font=_font(30), fill="#111111")
    return image


def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(FONT, size, index=2)


def _map(pen: Pen, chance: random.Random) -> None:
    points = [(x, 250 + chance.randrange(-60, 60)) for x in range(0, 601, 80)]
    pen.line(points, fill="#6aa5d8", width=14, joint="curve")
    for _ in range(5):
        x, y = chance.randrange(SIZE[0]), chance.randrange(70, SIZE[1])
        pen.line([(x, 60), (chance.randrange(SIZE[0]), SIZE[1])], fill="#b99a6b", width=3)
        pen.line([(0, y), (SIZE[0], chance.randrange(70, SIZE[1]))], fill="#b99a6b", width=3)
    left, top = chance.randrange(150, 240), chance.randrange(120, 180)
    pen.rectangle((left, top, left + 170, top + 130), outline="#8b3a2f", width=5)


def _portrait(pen: Pen, chance: random.Random) -> None:
    robe = chance.choice(("#8b3a2f", "#2f5d8b", "#3a7d44", "#6b4a8b"))
    pen.polygon([(150, 420), (210, 260), (350, 260), (410, 420)], fill=robe)
    pen.ellipse((205, 90, 355, 290), fill="#e8c39e", outline="#333333", width=3)
    pen.rectangle((205, 60, 355, 120), fill="#222222")
    for x in (250, 300):
        pen.ellipse((x, 170, x + 14, 180), fill="#222222")
    pen.arc((255, 210, 305, 245), 10, 170, fill="#7a3030", width=4)
    for x in range(250, 311, 12):
        pen.line([(x, 260), (x - 4, 260 + chance.randrange(30, 70))], fill="#444444", width=3)


def _ground(pen: Pen, colour: str = "#8fb573") -> None:
    pen.rectangle((0, 300, *SIZE), fill=colour)


def _roofs(pen: Pen, x: int, y: int, width: int, storeys: int) -> None:
    for storey in range(storeys):
        half, base = (width - 14 * storey) // 2, y - 46 * storey
        pen.rectangle((x - half + 14, base - 30, x + half - 14, base), fill="#a5452f")
        pen.polygon([(x - half, base - 30), (x + half, base - 30), (x, base - 58)], fill="#4a4a52")


def _temple(pen: Pen, chance: random.Random) -> None:
    _ground(pen)
    _roofs(pen, 280, 330, 300, 2)
    _roofs(pen, chance.randrange(60, 110), 340, 110, 1)


def _pagoda(pen: Pen, chance: random.Random) -> None:
    _ground(pen, "#b7b07a")
    _roofs(pen, chance.randrange(200, 360), 350, 130, 6)


def _tower(pen: Pen, chance: random.Random) -> None:
    _ground(pen, "#9a9a9a")
    x = chance.randrange(200, 320)
    pen.rectangle((x, 120, x + 90, 350), fill="#c9c2b0", outline="#555555", width=3)
    pen.polygon([(x - 10, 120), (x + 100, 120), (x + 45, chance.randrange(20, 60))], fill="#5a6a72")


def _caves(pen: Pen, chance: random.Random) -> None:
    pen.rectangle((0, 90, *SIZE), fill="#b59b78")
    for x in range(30, 540, 85):
        y = chance.randrange(140, 280)
        pen.pieslice((x, y, x + 60, y + 110), 180, 360, fill="#4e3f2e")
        pen.rectangle((x, y + 55, x + 60, y + 90), fill="#4e3f2e")
        pen.ellipse((x + 20, y + 30, x + 40, y + 55), fill="#d5bf98")


def _garden(pen: Pen, chance: random.Random) -> None:
    _ground(pen, "#5d9a57")
    for _ in range(40):
        x, y = chance.randrange(SIZE[0]), chance.randrange(290, 410)
        pen.ellipse((x, y, x + 22, y + 18), fill=chance.choice(("#e36b9a", "#f5d0de", "#c23b6b")))


def _bridge(pen: Pen, chance: random.Random) -> None:
    pen.rectangle((0, 260, *SIZE), fill="#6aa5d8")
    for x in range(20, 540, 130):
        pen.pieslice((x, 210, x + 110, 370), 180, 360, fill="#4f7ea8")
    pen.rectangle((0, 195, SIZE[0], 225), fill=chance.choice(("#9a8f80", "#c7a26a")))


def _lake(pen: Pen, chance: random.Random) -> None:
    pen.rectangle((0, 0, SIZE[0], 200), fill="#f2b880")
    for x in (60, 220, 380):
        peak = chance.randrange(60, 130)
        pen.polygon([(x - 120, 230), (x + 160, 230), (x, peak)], fill="#7a8794")
    pen.rectangle((0, 220, *SIZE), fill="#7fb0cf")


def _field(pen: Pen, chance: random.Random) -> None:
    for step in range(7):
        y = 120 + step * 45
        green = chance.choice(("#7aa953", "#94bf63"))
        pen.ellipse((-80, y, 640, y + 160), fill=green, outline="#4e7a35", width=4)


def _market(pen: Pen, chance: random.Random) -> None:
    pen.rectangle((0, 0, *SIZE), fill="#26304a")
    for x in range(20, 540, 90):
        pen.ellipse((x, 80, x + 34, 120), fill=chance.choice(("#e2482e", "#f0a030")))
        pen.rectangle((x - 10, 240, x + 60, 360), fill="#7d5a3c")


def _noodles(pen: Pen, chance: random.Random) -> None:
    pen.ellipse((90, 120, 470, 380), fill="#f7f3ea", outline="#33507a", width=12)
    for _ in range(26):
        x, y = chance.randrange(140, 340), chance.randrange(160, 300)
        pen.arc((x, y, x + 90, y + 60), 0, 300, fill="#d9a648", width=5)


def _train(pen: Pen, chance: random.Random) -> None:
    _ground(pen, "#f5f7fa")
    pen.rectangle((120, 230, 420, 320), fill="#2d2d33")
    for x in range(130, 410, 70):
        pen.ellipse((x, 300, x + 50, 350), fill="#a33333")
    for step in range(5):
        y = 180 - 30 * step + chance.randrange(8)
        pen.ellipse((370 - 50 * step, y, 430 - 40 * step, y + 40), fill="#dddddd")


def _kiln(pen: Pen, chance: random.Random) -> None:
    pen.rectangle((0, 300, *SIZE), fill="#8d6b4f")
    pen.ellipse((180, 300, 380, 350), fill="#5c4635")
    pen.pieslice((210, 200, 350, 370), 0, 180, fill=chance.choice(("#c9855a", "#b8734a")))


def _loom(pen: Pen, chance: random.Random) -> None:
    pen.rectangle((80, 60, 480, 380), outline="#6b4a2f", width=14)
    for x in range(100, 470, 8):
        pen.line([(x, 70), (x, 370)], fill=chance.choice(("#c23b6b", "#e8d9a0", "#3a6ea5")))


SCENES: dict[str, Callable[[Pen, random.Random], None]] = {
    "map": _map, "portrait": _portrait, "temple": _temple, "pagoda": _pagoda, "tower": _tower,
    "caves": _caves, "garden": _garden, "bridge": _bridge, "lake": _lake, "field": _field,
    "market": _market, "noodles": _noodles, "train": _train, "kiln": _kiln, "loom": _loom,
}  # fmt: skip

if __name__ == "__main__":
    main()

"""Reads one untrusted file, in a process of its own that may do nothing else.

    python -I reader_process.py KIND MAX_CHARS MAX_PAGES [FILTER] < file > one line of JSON

It is run by its path with `-I` and an empty environment, which leave it neither secrets nor search
paths. It loads its parsers, and gives up its rights before it reads a byte: no file but Python's
own libraries, no network, no other process (`common/confinement`). FILTER is what seccomp is
loaded with, in base64. It ends by itself: by its CPU time, its memory, or with `{"error": …}`.
"""

import base64
import io
import json
import os
import resource
import signal
import sys
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

# Import the code of this tree, not an installed version.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bot.files import plain_text
from common.confinement import landlock, layers, seccomp
from common.confinement.landlock import ConfinementError
from common.image_depth import to_eight_bits

MEMORY = 800 << 20  # bytes of address space
CPU_S = 8
ENOUGH_S = 5  # of CPU time: from here on the pages that were read have to do
NICE = 10  # reading waits for the bot, not the bot for reading
MAX_PIXELS = 50_000_000
FORMATS = ("PNG", "JPEG", "GIF", "WEBP", "AVIF", "TIFF", "BMP")
MOST_FRAMES = 4  # of an animation
LONGEST_SIDE = 2_048  # of what is kept of a picture
STILL_PIXELS = 4_000_000
_FIT_AT_ONCE = ("L", "LA", "RGB", "RGBA")  # modes that Pillow scales without a conversion
STILL_BYTES = 1_500_000  # from here on a PNG becomes a JPEG
DEEPEST = 6_000  # frames of Python, for the 256 levels of a Word document


def main() -> None:
    kind, max_chars, max_pages = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    sys.setrecursionlimit(DEEPEST)
    _load_parsers(kind)
    missing = _confine(
        threads=kind == "heic",
        seccomp_filter=base64.b64decode(sys.argv[4]) if sys.argv[4:] else b"",
    )
    data = sys.stdin.buffer.read()
    try:
        result = _READERS[kind](data, max_chars, max_pages)
    except MemoryError:
        result = {"error": "memory"}
    except Exception as error:  # the process's edge: a parser may raise anything over such files
        result = {"error": type(error).__name__}
    if missing:
        result["missing"] = missing
    sys.stdout.write(json.dumps(result))


def _confine(*, threads: bool, seccomp_filter: bytes = b"") -> list[str]:
    """Give up every right that reading does not need; return the layers that are missing here.

    The one decoder of HEIC that is free needs a thread.
    """
    os.nice(NICE)
    with suppress(OSError), open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
        file.write("1000")  # it goes before the bot does, where memory is short
    if sys.platform != "linux":
        for what, limit in ((resource.RLIMIT_CPU, CPU_S), (resource.RLIMIT_FSIZE, 0)):
            resource.setrlimit(what, (limit, limit))
        return ["Landlock", "seccomp"]
    landlock.prctl(landlock.PR_SET_PDEATHSIG, signal.SIGKILL)
    with suppress(ConfinementError):
        seccomp_filter = seccomp_filter or seccomp.compile_filter(threads=threads)
    # Codecs and the like are loaded from Python's and its packages' folders when they are needed.
    names = ("site-packages", "dist-packages", "lib-dynload")
    libraries = (
        entry
        for entry in map(Path, sys.path)
        if (entry.name in names or entry.name.startswith("python3")) and entry.is_dir()
    )
    return layers.confine_as_far_as_possible(
        libraries, seccomp_filter or None, memory=MEMORY, cpu_s=CPU_S, threads=threads
    )


def _read_text(data: bytes, max_chars: int, _max_pages: int) -> dict[str, Any]:
    found = plain_text.read_text(data)
    if found is None:
        return {"error": "unknown"}
    return {
        "text": found.text[:max_chars],
        "cut": len(found.text) > max_chars,
        "assumed_encoding": found.assumed_encoding,
        "repaired": found.repaired,
        "cleaned": found.cleaned,
    }


def _read_pdf(data: bytes, max_chars: int, max_pages: int) -> dict[str, Any]:
    import pypdf  # noqa: PLC0415 — each process needs one parser

    document = pypdf.PdfReader(io.BytesIO(data))
    if document.is_encrypted and not _opens_without_password(document):
        return {"error": "encrypted"}
    pages = len(document.pages)
    gathered = _LimitedText(max_chars)
    read = 0
    pictures = False
    failed: Exception | None = None
    for page in document.pages[:max_pages]:
        if gathered.full or (read and time.process_time() > ENOUGH_S):
            break
        try:
            text = page.extract_text()
        except Exception as error:  # of this page; the others may be sound
            failed = error
            continue
        gathered.add(text)
        pictures = pictures or bool(
            not gathered.has_text and "/XObject" in page.get("/Resources", {})
        )
        read += 1
    if not gathered.has_text and failed:
        raise failed
    if not gathered.has_text and pictures:
        return {"error": "scanned"}
    return {"text": gathered.text, "cut": gathered.full or read < pages, "pages": [read, pages]}


def _opens_without_password(document: Any) -> bool:
    from pypdf.errors import DependencyError  # noqa: PLC0415

    try:
        return bool(document.decrypt(""))
    except (DependencyError, NotImplementedError):  # a cipher that is not known here
        return False


def _read_docx(data: bytes, max_chars: int, _max_pages: int) -> dict[str, Any]:
    from bot.files import word  # noqa: PLC0415

    try:
        found = word.read_word(data, max_chars)
    except word.UnreadableWord as error:
        return {"error": str(error)}
    return {"text": found.text, "cut": found.cut, "skipped": found.skipped}


def _read_image(data: bytes, _max_chars: int, _max_pages: int) -> dict[str, Any]:
    from PIL import AvifImagePlugin  # noqa: PLC0415

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # none besides this one
    return _read_images(data, FORMATS)


def _read_heic(data: bytes, _max_chars: int, _max_pages: int) -> dict[str, Any]:
    import pi_heif  # noqa: PLC0415

    pi_heif.register_heif_opener()
    return _read_images(data, ("HEIF",))


def _read_images(data: bytes, formats: tuple[str, ...]) -> dict[str, Any]:
    """Return still images that every model can take: upright, opaque and of limited size.

    Whoever sees them later decodes what was written here, and nothing that was posted.
    """
    from PIL import Image, ImageOps  # noqa: PLC0415

    Image.MAX_IMAGE_PIXELS = None  # our own limit has its own word
    with Image.open(io.BytesIO(data), formats=formats) as image:
        if image.width * image.height > MAX_PIXELS:
            return {"error": "pixels"}
        image.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # a large JPEG is read small at once
        # A JPEG may also contain a gain map, depth or another view, which are not shown.
        count = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
        stills = []
        frames = min(count, MOST_FRAMES)  # from the first to the last
        for number in (round(i * (count - 1) / max(frames - 1, 1)) for i in range(frames)):
            image.seek(number)
            if image.width * image.height > MAX_PIXELS:
                return {"error": "pixels"}
            frame = ImageOps.exif_transpose(image)
            if frame.mode in _FIT_AT_ONCE:
                frame = _shrink(frame)
            still = _shrink(_to_rgb(to_eight_bits(frame)))
            stills.append(_encode_image(still, drawn=image.format in ("PNG", "GIF", "BMP", "TIFF")))
        return {"stills": stills}


def _to_rgb(image: Any) -> Any:
    """Return the image in RGB, on white where it is transparent."""
    from PIL import Image, ImageCms  # noqa: PLC0415

    if image.has_transparency_data:
        visible = image.convert("RGBA")
        ground = Image.new("RGBA", visible.size, "white")
        return Image.alpha_composite(ground, visible).convert("RGB")
    if image.mode != "LAB":
        return image.convert("RGB")
    lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.profileToProfile(image, lab, rgb, outputMode="RGB")


def _shrink(image: Any) -> Any:
    width, height = image.size
    share = min(LONGEST_SIDE / max(width, height), (STILL_PIXELS / (width * height)) ** 0.5, 1)
    if share == 1:
        return image
    return image.resize((max(1, int(width * share)), max(1, int(height * share))))


def _encode_image(still: Any, *, drawn: bool) -> dict[str, str]:
    """Encode the image: drawings as PNG while that is small, photographs as JPEG."""
    kinds: list[tuple[str, dict[str, Any]]] = [("image/png", {"format": "PNG"})] if drawn else []
    kinds.append(("image/jpeg", {"format": "JPEG", "quality": 92}))
    for media_type, options in kinds:
        out = io.BytesIO()
        still.save(out, **options)
        if out.tell() <= STILL_BYTES or media_type == "image/jpeg":
            return {"media_type": media_type, "data": base64.b64encode(out.getvalue()).decode()}
    raise AssertionError("JPEG is always taken")


class _LimitedText:
    """A text that grows up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[str] = []
        self._length = 0
        self.has_text = False  # anything but white space

    @property
    def full(self) -> bool:
        return self._length > self._limit

    @property
    def text(self) -> str:
        """The text. Half characters of UTF-16, which a PDF's fonts may contain, are replaced."""
        whole = "\n".join(self._parts).encode("utf-16", "surrogatepass")
        return whole.decode("utf-16", "replace")[: self._limit]

    def add(self, text: str) -> None:
        if not self.full:
            self._parts.append(text[: self._limit + 1])
            self._length += len(text) + 1
            self.has_text = self.has_text or bool(text.strip())


_IMAGING = ("PIL.AvifImagePlugin", "PIL.Image", "PIL.ImageCms", "PIL.ImageMath", "PIL.ImageOps")
_PARSERS = {
    "text": ("chardet",),
    "pdf": ("pypdf.errors",),
    "docx": ("bot.files.word",),
    "image": _IMAGING,
    "heic": (*_IMAGING, "pi_heif"),
}


def _load_parsers(kind: str) -> None:
    """Load what a kind needs, since nothing can be loaded from elsewhere once it is confined."""
    modules = {name: import_module(name) for name in _PARSERS[kind]}
    if kind == "text":  # also its models
        modules["chardet"].detect_all("é".encode("cp1252") * 9, ignore_threshold=True)
    if image := modules.get("PIL.Image"):
        image.init()


_READERS = {
    "text": _read_text,
    "pdf": _read_pdf,
    "docx": _read_docx,
    "image": _read_image,
    "heic": _read_heic,
}

if __name__ == "__main__":
    main()

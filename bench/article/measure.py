"""`python -m bench article`: whether pictures are placed rightly, with wrong ones planted.

A set is a library (a folder with its manifest) and `needs.jsonl` beside it: needs of which it is
known which pictures would be right, if any. Beside it, in the same run: what the best
match of a text search would have placed, which always places something. Then the same for whole
texts: `article_cases`.

`bench/article/sets` has sets of other countries, scripts and times. Their pictures are blank, and
the text that would be read in them is a part of their manifest.
"""

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import msgspec
from PIL import Image

from bench.article.article_cases import TEXTS, illustrate_cases, judge
from inference.library.image_entry import NAME as MANIFEST
from inference.library.image_entry import ImageEntry, write_manifest
from inference.library.image_library import (
    ImageLibrary,
    ImageText,
    Index,
    LibraryReader,
    read_index,
    write_index,
)
from inference.library.image_selector import ImageSelector, MemoryBlobs
from inference.library.maintenance import build_index
from jobqueue.article import ImageKind, ImageRequest, ImageSlot

PUBLIC = Path(__file__).with_name("pictures")
SETS = Path(__file__).with_name("sets")
NEEDS = "needs.jsonl"
OUTCOMES = ("right", "wrong", "missed", "empty")


class NeedCase(msgspec.Struct, frozen=True):
    caption: str
    right: tuple[str, ...]  # empty: no picture is
    entities: tuple[str, ...] = ()
    kind: ImageKind | None = None
    about: str = "all"  # under which it is counted
    trap: str = ""  # what a wrong picture would be

    @property
    def need(self) -> ImageRequest:
        return ImageRequest(caption=self.caption, entities=self.entities, kind=self.kind)


class _Text(msgspec.Struct, frozen=True):
    written: tuple[str, ...] = ()  # the title first


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("article", help="pictures of an article, with wrong ones planted")
    parser.add_argument(
        "--set", type=Path, default=PUBLIC, metavar="DIR", help="a library, or a name in sets/"
    )
    parser.add_argument("--needs", type=Path, help=f"instead of {NEEDS} beside the library")
    parser.add_argument("--texts", type=Path, help=f"instead of {TEXTS} beside the library")
    parser.add_argument("--verbose", action="store_true", help="print what became of each need")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        is_named = (SETS / args.set.name / MANIFEST).exists()
        library = lay_out(SETS / args.set.name, Path(folder)) if is_named else args.set
        beside = SETS / args.set.name if is_named else args.set.parent
        cases = read_needs(args.needs or beside / NEEDS)
        texts = args.texts or beside / TEXTS
        began = time.monotonic()
        slots = asyncio.run(fill_needs(library, cases))
        outcomes = asyncio.run(illustrate_cases(library, texts, verbose=args.verbose))
        seconds = time.monotonic() - began
        if args.verbose:
            for case, slot in zip(cases, slots, strict=True):
                print(f"{outcome_of(case, _path(slot)):<6} {case.caption} | {_result(slot)}")
        best = best_matches(ImageLibrary.load(library), cases)
        report(cases, slots, best, outcomes, seconds)


def read_needs(path: Path) -> list[NeedCase]:
    lines = path.read_text("utf-8").splitlines()
    return [msgspec.json.decode(line, type=NeedCase) for line in lines if line.strip()]


def lay_out(source: Path, folder: Path) -> Path:
    """Write a library of blank pictures, as the manifest of a set describes it."""
    entries, written = [], {}
    for number, line in enumerate((source / MANIFEST).read_bytes().splitlines()):
        entry = msgspec.json.decode(line, type=ImageEntry)
        text = msgspec.json.decode(line, type=_Text).written
        Image.new("RGB", (8, 8), (number, 0, 0)).save(folder / entry.path)
        digest = sha256((folder / entry.path).read_bytes()).hexdigest()
        entries.append(msgspec.structs.replace(entry, sha256=digest))
        written[digest] = ImageText(titles=text[:1], lines=text)
    write_manifest(folder, entries)
    write_index(folder, Index(written=written))
    return folder


async def fill_needs(folder: Path, cases: Sequence[NeedCase]) -> list[ImageSlot]:
    """Fill each need by itself."""
    if not read_index(folder).written:
        await build_index(folder)
    selector = ImageSelector(LibraryReader(folder), MemoryBlobs())
    return [await selector.fill(case.need) for case in cases]


def best_matches(library: ImageLibrary, cases: Sequence[NeedCase]) -> list[str]:
    """Return what the best match of a text search would place."""
    found = (library.search.rank(" ".join((each.caption, *each.entities)), 1) for each in cases)
    return [library.entries[at[0]].path if at else "" for at in found]


def outcome_of(case: NeedCase, placed: str) -> str:
    return judge(case.right, [placed] if placed else [])


def report(
    cases: Sequence[NeedCase],
    slots: Sequence[ImageSlot],
    best: Sequence[str],
    texts: Mapping[str, Counter[str]],
    seconds: float,
) -> None:
    ours = list(map(outcome_of, cases, map(_path, slots)))
    for about in dict.fromkeys(each.about for each in cases):
        some = Counter(o for each, o in zip(cases, ours, strict=True) if each.about == about)
        print(f"{about:<8} " + "  ".join(f"{some[name]:3} {name}" for name in OUTCOMES))
    reasons = Counter(slot.why for slot in slots if not slot.figure)
    print("left empty: " + ", ".join(f"{n} {why}" for why, n in reasons.most_common()))
    rows = {"this library": Counter(ours), "best match": Counter(map(outcome_of, cases, best))}
    for name, counts in rows.items():
        print(f"{name:<13} " + "  ".join(f"{counts[each]:3} {each}" for each in OUTCOMES))
    print("beside texts:")
    for about, some in texts.items():
        print(f"{about:<13} " + "  ".join(f"{some[name]:3} {name}" for name in OUTCOMES))
    sections = sum(texts.values(), Counter[str]())
    fitting = sum(bool(each.right) for each in cases)
    figures = {
        "needs": len(cases),
        "fitting": fitting,
        **{each: rows["this library"][each] for each in OUTCOMES},
        "placed": round(rows["this library"]["right"] / max(fitting, 1), 3),
        "best_match": {each: rows["best match"][each] for each in OUTCOMES},
        "texts": {each: sections[each] for each in OUTCOMES},
        "seconds": round(seconds, 2),
    }
    print(json.dumps(figures))


def _path(slot: ImageSlot) -> str:
    return slot.figure.entry if slot.figure else ""


def _result(slot: ImageSlot) -> str:
    return _path(slot) or f"{slot.why}: {slot.detail}"

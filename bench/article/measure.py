"""`python -m bench article`: whether pictures are placed rightly, with wrong ones planted.

A set is a library (a folder with its manifest) and `needs.jsonl` beside it: needs of which it is
known which pictures would be right, if any. How near is near enough is calibrated on one half of
the library and measured on the needs of the other half, then the other way round, so that no need
is judged by figures that were learnt from its own picture. Beside it, in the same run: what the
best match of a text search would have placed, which always places something. Then the same for
whole texts, in `bench.article.article_cases`.
"""

import argparse
import asyncio
import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import msgspec

from bench.article.article_cases import illustrated, outcomes, texts
from inference.library import store
from inference.library.build_index import index
from inference.library.calibrate import calibrate
from inference.library.image_library import Library, version
from inference.library.image_selector import LibraryIllustrator
from inference.library.shelf import Shelf
from jobqueue.article import Kind, Need, Slot

PUBLIC = Path(__file__).with_name("pictures")
NEEDS, TEXTS = "needs.jsonl", "texts.jsonl"
OUTCOMES = ("right", "wrong", "missed", "empty")


class Asked(msgspec.Struct, frozen=True):
    caption: str
    right: tuple[str, ...]  # empty: no picture is
    entities: tuple[str, ...] = ()
    kind: Kind | None = None
    about: str = "all"  # under which it is counted
    trap: str = ""  # what a wrong picture would be

    @property
    def need(self) -> Need:
        return Need(caption=self.caption, entities=self.entities, kind=self.kind)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("article", help="pictures of an article, with wrong ones planted")
    parser.add_argument("--set", type=Path, default=PUBLIC, metavar="DIR", help="a library")
    parser.add_argument("--needs", type=Path, help=f"instead of {NEEDS} beside the library")
    parser.add_argument("--texts", type=Path, help=f"instead of {TEXTS} beside the library")
    parser.add_argument("--verbose", action="store_true", help="print what became of each need")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    path = args.needs or args.set.parent / NEEDS
    lines = path.read_text("utf-8").splitlines()
    asked = [msgspec.json.decode(line, type=Asked) for line in lines if line.strip()]
    began = time.monotonic()
    slots = asyncio.run(placed(args.set, asked))
    became = asyncio.run(beside(args.set, args.texts, verbose=args.verbose))
    seconds = time.monotonic() - began
    if args.verbose:
        for each, slot in zip(asked, slots, strict=True):
            print(f"{outcome(each, _path(slot)):<6} {each.caption} | {_told(slot)}")
    report(asked, slots, naive(Library.load(args.set), asked), became, seconds)


async def placed(folder: Path, asked: Sequence[Asked]) -> list[Slot]:
    """Each need filled by itself, with figures from the half that its picture is not in."""
    whole = Library.load(folder)
    if not whole.index.written:
        whole = replace(whole, index=await index(folder))
    halves = [LibraryIllustrator(_Half(whole, half), Nowhere()) for half in (0, 1)]
    at = {entry.path: number for number, entry in enumerate(whole.entries)}
    return [
        await halves[_other_half(each, number, at)].fill(each.need, own=(), taken=())
        for number, each in enumerate(asked)
    ]


async def beside(
    folder: Path, path: Path | None = None, *, verbose: bool = False
) -> Mapping[str, Counter[str]]:
    """What became of the sections of whole texts, by what they are about."""
    path, shelf, became = path or folder.parent / TEXTS, Shelf(folder), dict[str, Counter[str]]()
    for text in texts(path) if path.exists() else ():
        article = await illustrated(text, shelf, Nowhere())
        for part, (what, placed) in zip(text.sections, outcomes(text, article), strict=True):
            became.setdefault(text.about, Counter())[what] += 1
            if verbose:
                print(f"{what:<6} {text.assignment} / {part.heading} | {placed}")
    return became


def _other_half(asked: Asked, number: int, at: Mapping[str, int]) -> int:
    """Any for a need that has no picture."""
    return 1 - (at[asked.right[0]] if asked.right else number) % 2


class _Half:
    """The whole library, with figures that were learnt from every second picture."""

    def __init__(self, whole: Library, half: int) -> None:
        figures = calibrate(whole.search, whole.entries, range(half, len(whole.entries), 2))
        found = store.Index(
            figures=figures, written=whole.index.written, manifest=version(whole.entries)
        )
        self._library = replace(whole, index=found)

    async def current(self) -> Library:
        return self._library


class Nowhere:
    """What lies in Redis otherwise."""

    async def put(self, data: bytes) -> str:
        return sha256(data).hexdigest()

    async def get(self, _name: str) -> bytes | None:
        return None


def naive(library: Library, asked: Sequence[Asked]) -> list[str]:
    """What the best match of a text search would place."""
    found = (library.search.ranked(" ".join((each.caption, *each.entities)), 1) for each in asked)
    return [library.entries[at[0]].path if at else "" for at in found]


def outcome(asked: Asked, placed: str) -> str:
    if not placed:
        return "missed" if asked.right else "empty"
    return "right" if placed in asked.right else "wrong"


def report(
    asked: Sequence[Asked],
    slots: Sequence[Slot],
    best: Sequence[str],
    became: Mapping[str, Counter[str]],
    seconds: float,
) -> None:
    ours = list(map(outcome, asked, map(_path, slots)))
    for about in dict.fromkeys(each.about for each in asked):
        some = Counter(o for each, o in zip(asked, ours, strict=True) if each.about == about)
        print(f"{about:<8} " + "  ".join(f"{some[name]:3} {name}" for name in OUTCOMES))
    reasons = Counter(slot.why for slot in slots if not slot.figure)
    print("left empty: " + ", ".join(f"{n} {why}" for why, n in reasons.most_common()))
    rows = {"this library": Counter(ours), "best match": Counter(map(outcome, asked, best))}
    for name, counts in rows.items():
        print(f"{name:<13} " + "  ".join(f"{counts[each]:3} {each}" for each in OUTCOMES))
    print("beside texts:")
    for about, some in became.items():
        print(f"{about:<13} " + "  ".join(f"{some[name]:3} {name}" for name in OUTCOMES))
    sections = sum(became.values(), Counter[str]())
    fitting = sum(bool(each.right) for each in asked)
    figures = {
        "needs": len(asked),
        "fitting": fitting,
        **{each: rows["this library"][each] for each in OUTCOMES},
        "placed": round(rows["this library"]["right"] / max(fitting, 1), 3),
        "best_match": {each: rows["best match"][each] for each in OUTCOMES},
        "texts": {each: sections[each] for each in OUTCOMES},
        "seconds": round(seconds, 2),
    }
    print(json.dumps(figures))


def _path(slot: Slot) -> str:
    return slot.figure.entry if slot.figure else ""


def _told(slot: Slot) -> str:
    return _path(slot) or f"{slot.why}: {slot.detail}"

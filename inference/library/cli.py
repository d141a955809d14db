"""`python -m inference pictures add|index|check|list`: the pictures that articles may show.

The folder is INFERENCE_PICTURES or `--folder`; its manifest, `pictures.jsonl`, is edited by hand.
"""

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from common.settings import load_or_exit
from inference import ocr
from inference.config import WorkerSettings
from inference.library import image_entry
from inference.library.image_entry import ImageEntry, LibraryError, read_manifest
from inference.library.image_library import ImageLibrary
from inference.library.maintenance import build_index, find_faults, import_images
from jobqueue.article import ImageKind


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `pictures` command; its namespace carries `run(arguments) -> exit code`."""
    pictures = subparsers.add_parser("pictures", help="pictures for articles: add, check, list")
    commands = pictures.add_subparsers(required=True, metavar="add|index|check|list")
    adder = _command(commands, "add", "copy files into the library and describe them", run_add)
    adder.add_argument("files", metavar="FILE", nargs="+", type=Path)
    adder.add_argument("--kind", type=ImageKind, choices=list(ImageKind))
    adder.add_argument("--place", default="", help='from the nearest on: "Luoyang, Henan, China"')
    adder.add_argument("--years", type=_years, help="the time that it shows: 618-907")
    adder.add_argument("--period", default="", help='names of that time: "Tang/唐"')
    for name in ("caption", "alt", "licence", "author", "source"):
        adder.add_argument(f"--{name}", default="")
    for name, what in (
        ("entity", "a person, work or place that is shown; a map's first is what it is of"),
        ("also", "another name of it, in any language"),
        ("tag", "a word that it may be found by"),
    ):
        adder.add_argument(f"--{name}", action="append", default=[], help=f"{what}; repeat it")
    indexer = _command(commands, "index", "read the text in pictures", run_index)
    indexer.add_argument("--model", help="instead of INFERENCE_PICTURES_MODEL")
    _command(commands, "check", "what is wrong with files and words; 1 if anything is", run_check)
    _command(commands, "list", "what is there", run_list)


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    what: str,
    run: Callable[[argparse.Namespace, Path], int],
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=what)
    parser.add_argument("--folder", type=Path, help="instead of INFERENCE_PICTURES")
    parser.set_defaults(run=lambda arguments: _in_folder(arguments, run))
    return parser


def _in_folder(
    arguments: argparse.Namespace, run: Callable[[argparse.Namespace, Path], int]
) -> int:
    folder = arguments.folder or load_or_exit(WorkerSettings, os.environ).pictures
    if not folder:
        print("error: name a folder with --folder or INFERENCE_PICTURES", file=sys.stderr)
        return 2
    try:
        return run(arguments, Path(folder).expanduser())
    except LibraryError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def run_add(arguments: argparse.Namespace, folder: Path) -> int:
    description = ImageEntry(
        path="",
        caption=arguments.caption,
        kind=arguments.kind,
        place=arguments.place,
        entities=tuple(arguments.entity),
        also=tuple(arguments.also),
        years=arguments.years,
        period=arguments.period,
        tags=tuple(arguments.tag),
        alt=arguments.alt,
        licence=arguments.licence,
        author=arguments.author,
        source=arguments.source,
    )
    new = import_images(folder, arguments.files, description)
    for entry in new:
        print(f"{entry.path}: {entry.caption}")
    print(f"{len(new)} added, {len(arguments.files) - len(new)} were there already")
    if new:
        print(f"Describe them in {folder / image_entry.NAME}, then run: inference pictures index")
    return 0


def _years(text: str) -> tuple[int, int]:
    """Read `618-907`, `1900` or `-57-935`."""
    found = re.fullmatch(r"(-?\d{1,4})(?:-(-?\d{1,4}))?", text)
    if not found:
        raise argparse.ArgumentTypeError(f"no years: {text!r}; write 618-907")
    return int(found[1]), int(found[2] or found[1])


def run_index(arguments: argparse.Namespace, folder: Path) -> int:
    console = Console(stderr=True)
    with console.status("") as status:
        index = asyncio.run(build_index(folder, lambda n, of: status.update(f"{n} of {of}")))
    print(f"text read in {sum(bool(text.lines) for text in index.written.values())} pictures")
    if not ocr.is_installed():
        print("no text was read: pip install 'commonroom[ocr]'", file=sys.stderr)
    if model := arguments.model or load_or_exit(WorkerSettings, os.environ).pictures_model:
        from inference.library.image_embeddings import embed_library, embedder  # noqa: PLC0415  (torch)

        vectors = embed_library(folder, read_manifest(folder), embedder(model))
        vectors.save(folder)
        print(f"with {model}, a picture is near to a text from {vectors.threshold:.3f} on")
    return 0


def run_check(_: argparse.Namespace, folder: Path) -> int:
    library = ImageLibrary.load(folder)
    faults = find_faults(library)
    table = Table("PICTURE", "WHAT", "USED", box=None)
    for fault in faults:
        table.add_row(Text(fault.path), Text(fault.what), "no" if fault.is_serious else "yes")
    if faults:
        Console().print(table)
    if any(entry.sha256 not in library.index.written for entry in library.entries):
        print("Text in some pictures was not read yet: inference pictures index", file=sys.stderr)
    serious = sum(fault.is_serious for fault in faults)
    print(f"{len(library.entries)} pictures, {serious} faults, {len(faults) - serious} remarks")
    return 1 if serious else 0


def run_list(_: argparse.Namespace, folder: Path) -> int:
    table = Table("PICTURE", "KIND", "ABOUT", "CAPTION", "LICENCE", box=None)
    entries = read_manifest(folder)
    for entry in entries:
        row = (entry.path, entry.kind or "", ", ".join(entry.subjects), entry.caption)
        table.add_row(*map(Text, (*row, entry.licence)))
    Console().print(table)
    print(f"{len(entries)} pictures in {folder}")
    return 0

"""`python -m inference models pull|list|check`."""

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from time import monotonic

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars

from common.redact import redact
from inference.models import catalog, gguf, integrity, model_store
from inference.models.errors import ModelError, Progress, Report
from inference.models.pull import SOURCES, pull

Row = tuple[str, str, str, str, str]


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the `models` command; its namespace carries `run(arguments) -> exit code`."""
    models = subparsers.add_parser("models", help="bring models here, list and check them")
    commands = models.add_subparsers(required=True, metavar="pull|list|check")

    puller = commands.add_parser("pull", help="bring a model here, or register a folder")
    puller.add_argument("model", metavar="NAME|PATH")
    puller.add_argument("--source", choices=SOURCES, help="this one alone; else each in turn")
    puller.add_argument("--gguf", action="store_true", help="the file that llama.cpp reads, alone")
    puller.add_argument("--again", action="store_true", help="fetch even what is here")
    puller.add_argument("--progress", choices=("bar", "json"), default="bar")
    puller.set_defaults(run=run_pull)

    lister = commands.add_parser("list", help="known and registered models, and where they lie")
    lister.set_defaults(run=run_list)

    checker = commands.add_parser("check", help="verify hashes, and that everything loads")
    checker.add_argument("models", metavar="NAME|PATH", nargs="*", help="default: all here")
    checker.set_defaults(run=run_check)


def run_pull(arguments: argparse.Namespace) -> int:
    shown = json_lines if arguments.progress == "json" else bar
    try:
        with shown() as report:
            here = _pull(arguments, report)
    except ModelError as error:
        print(redact(str(error)), file=sys.stderr)
        return 1
    if arguments.progress == "bar":
        print(describe(here))
    return 0


def _pull(arguments: argparse.Namespace, report: Report) -> Path:
    if arguments.gguf:
        return gguf.pull(arguments.model, report)
    files = pull(arguments.model, source=arguments.source, again=arguments.again, progress=report)
    return files.adapter or files.folder


def describe(folder: Path) -> str:
    if folder.is_file():
        return str(folder)
    if manifest := model_store.read_manifest(folder):
        return f"{manifest.name} ({manifest.licence}) from {manifest.source}\n{folder}"
    return f"{folder.name} is registered\n{folder}"


def run_list(_: argparse.Namespace) -> int:
    rows = [
        ("NAME", "FOR", "LICENCE", "SIZE", "WHERE"),
        *_known_rows(),
        *_bundled_rows(),
        *_own_rows(),
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        print("  ".join([*cells, row[-1]]))
    return 0


def _known_rows() -> Iterator[Row]:
    for known in catalog.KNOWN:
        folder = model_store.root() / known.name
        here = folder.is_dir()
        size = _gigabytes(_bytes_below(folder)) if here else f"~{_gigabytes(known.size)}"
        yield known.name, known.purpose, known.licence, size, str(folder.resolve()) if here else "-"


def _bundled_rows() -> Iterator[Row]:
    for name, folder in model_store.BUNDLED.items():
        size = _gigabytes(_bytes_below(folder))
        yield name, "pictures of simple scenes", "Apache-2.0", size, str(folder)


def _own_rows() -> Iterator[Row]:
    for entry in model_store.list_installed():
        if catalog.find(entry.name) is None:
            folder = entry.resolve()
            purpose = "LoRA adapter" if model_store.is_adapter(folder) else "your own"
            yield entry.name, purpose, "-", _gigabytes(_bytes_below(folder)), str(folder)


def run_check(arguments: argparse.Namespace) -> int:
    code = 0
    for name in arguments.models or [path.name for path in model_store.list_installed()]:
        try:
            with bar() as report:
                faults = integrity.faults(model_store.locate(name), report)
        except ModelError as error:
            faults = [str(error)]
        print(f"{name}: {'; '.join(faults) if faults else 'ok'}")
        if faults:
            code = 1
            if catalog.find(name):
                print(f"To repair it: python -m inference models pull {name} --again")
    return code


@contextmanager
def json_lines() -> Iterator[Report]:
    """One JSON object per line on stdout, for a supervisor: ten a second, and every new stage."""
    last: tuple[str, float] = ("", 0.0)

    def report(progress: Progress) -> None:
        nonlocal last
        now = monotonic()
        if progress.stage != last[0] or progress.done == progress.total or now - last[1] >= 0.1:
            last = (progress.stage, now)
            print(json.dumps(asdict(progress)), flush=True)

    yield report


@contextmanager
def bar() -> Iterator[Report]:
    """A bar on stderr; where that is no terminal, a line for each tenth of a download."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    console = Console(stderr=True)
    with Bars(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        tasks = {}
        tenths = 0

        def report(progress: Progress) -> None:
            nonlocal tenths
            reached = 10 * progress.done // progress.total if progress.total else 0
            if not console.is_terminal and progress.stage == "download" and reached > tenths:
                tenths = reached
                print(f"download {tenths * 10}%", file=sys.stderr, flush=True)
            if progress.stage not in tasks:
                tasks[progress.stage] = bars.add_task(progress.stage, total=None, detail="")
            bars.update(
                tasks[progress.stage],
                completed=progress.done,
                total=progress.total,
                detail=progress.detail,
            )

        yield report


def _bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"

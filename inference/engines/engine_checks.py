"""The doctor's checks of the chosen engine, without loading it."""

import os
import shutil
import sysconfig
from asyncio import timeout
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from common.doctor_report import Finding, fault, good, warning
from inference.config import WorkerSettings
from inference.engines import auto_select
from inference.engines.base import CannotLoad
from inference.engines.weight_size import GIB, weight_bytes
from inference.models import ModelError, ModelFiles, gguf, integrity, resolve

SERVER_S = 4.0
# What libraries, activations and CUDA graphs take beside weights and cache, as was seen.
BESIDE_BYTES = {"cpu": 1 * GIB, "cuda": 3 * GIB}
CONTEXT_TOKENS = 4096


async def check_engine(settings: WorkerSettings, *, hashes: bool) -> list[Finding]:
    """`hashes`: read every byte of the model, to see that it is what was pulled."""
    match auto_select.choose_engine(settings) if settings.engine == "auto" else settings.engine:
        case "transformers":
            return list(_of_transformers(settings, hashes=hashes))
        case "llamacpp":
            return list(_of_llamacpp(settings, hashes=hashes))
        case "openai":
            return [await _of_servers(settings)]
        case "scripted":
            return [warning("engine", "scripted: it echoes", "Unset INFERENCE_ENGINE for a model")]
    todo = "INFERENCE_ENGINE is auto, transformers, llamacpp, openai or scripted"
    return [fault("engine", f"none is called {settings.engine!r}", todo)]


def _of_llamacpp(settings: WorkerSettings, *, hashes: bool) -> Iterator[Finding]:
    from inference.engines.llamacpp import engine  # noqa: PLC0415  (only where it was chosen)

    if not auto_select.has_llamacpp():
        yield fault("llama.cpp", "is not installed", "pip install 'commonroom[cpu]'")
        return
    yield good("llama.cpp", f"xllamacpp {metadata.version('xllamacpp')}, {engine.cores()} threads")
    try:
        path = gguf.locate(settings.model)
    except ModelError as error:
        yield fault("model", str(error), "python -m inference models pull NAME --gguf")
        return
    if hashes and gguf.is_altered(path):
        todo = f"Remove it, and: python -m inference models pull {path.stem} --gguf"
        yield fault("model", f"{path} was altered", todo)
        return
    yield good("model", f"{path.stem} at {path}")
    free, total = _machine_memory()
    kept = engine.KEPT_BYTES + path.stat().st_size
    yield memory(f"CPU, {os.cpu_count()} cores", free, total, kept)


async def _of_servers(settings: WorkerSettings) -> Finding:
    from inference.engines.openai.engine import create_openai_engine  # noqa: PLC0415  (only where it was chosen)

    what, todo = "servers", "Start them, and name them in INFERENCE_BASE_URLS"
    try:
        engine = create_openai_engine(settings)
        async with timeout(SERVER_S), engine:
            troubles, up = engine.health().detail, f"{engine.model}, {engine.slots} slots"
    except (CannotLoad, TimeoutError) as error:
        return fault(what, str(error) or f"none answers within {SERVER_S:.0f} s", todo)
    return warning(what, troubles, todo) if troubles else good(what, up)


def _of_transformers(settings: WorkerSettings, *, hashes: bool) -> Iterator[Finding]:
    yield _versions()
    try:
        files = resolve(settings.model)
        altered = integrity.altered_files(files.folder) if hashes else []
    except ModelError as error:
        yield fault("model", str(error), "python -m inference models pull NAME")
        return
    if altered:
        todo = f"python -m inference models pull {files.name} --again"
        yield fault("model", "; ".join(altered), todo)
        return
    seen = "every hash is right" if hashes else "hashes not looked at"
    yield good("model", f"{files.name} at {files.folder}, {seen}")
    yield from _of_device(files, settings)


def _versions() -> Finding:
    """Check the versions of the packages that our metadata names; those versions were tested."""
    what, todo = "versions", "pip install 'commonroom[inference]' in this environment"
    try:
        wrong = list(_wrong_versions())
    except metadata.PackageNotFoundError:
        return warning(what, "commonroom itself is not installed here", todo)
    if wrong:
        return fault(what, "; ".join(wrong), todo)
    shown = ", ".join(f"{name} {metadata.version(name)}" for name in ("torch", "transformers"))
    return good(what, shown)


def _wrong_versions() -> Iterator[str]:
    from packaging.requirements import Requirement  # noqa: PLC0415  (huggingface-hub brings it)

    for line in metadata.requires("commonroom") or ():
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": "inference"}):
            continue
        try:
            version = metadata.version(wanted.name)
        except metadata.PackageNotFoundError:
            yield f"{wanted.name} is missing"
        else:
            if not wanted.specifier.contains(version, prereleases=True):
                yield f"{wanted.name} {version} is not {wanted.specifier}"


# --- the device -----------------------------------------------------------------------------------


def _of_device(files: ModelFiles, settings: WorkerSettings) -> Iterator[Finding]:
    import torch  # noqa: PLC0415  (seconds)

    yield from _packages(files, settings)
    yield from _pictures(files)
    if settings.spread:
        yield _spread(files, settings)
        return
    if torch.cuda.is_available():
        yield _compiler()
        free, total = torch.cuda.mem_get_info()
        name = f"GPU {torch.cuda.get_device_name()}"
        yield memory(name, free, total, _need(files, settings, "cuda"))
        return
    yield warning("GPU", "none that torch can use", "Fine for a small model; else see nvidia-smi")
    free, total = _machine_memory()
    yield memory(f"CPU, {os.cpu_count()} cores", free, total, _need(files, settings, "cpu"))


def _packages(files: ModelFiles, settings: WorkerSettings) -> Iterator[Finding]:
    """Check the packages that only some settings and models need."""
    from inference.engines.device_placement import Placement  # noqa: PLC0415  (brings torch)

    bits = settings.quantize * Placement(settings.quantize, settings.spread).by_bitsandbytes
    for wanted, package in ((bits, "bitsandbytes"), (files.adapter, "peft")):
        if wanted and find_spec(package) is None:
            yield fault(package, f"is missing, and {wanted} needs it", f"pip install {package}")
        elif wanted:
            yield good(package, f"{metadata.version(package)}, for {wanted}")


def _pictures(files: ModelFiles) -> Iterator[Finding]:
    """Report how the model sees pictures, if it does."""
    from inference.engines.model_loader import find_vision_family  # noqa: PLC0415  (brings torch)

    what, todo = "pictures", "A server answers many at once: INFERENCE_ENGINE=openai"
    try:
        family = find_vision_family(files.folder)
    except CannotLoad as error:
        yield fault(what, str(error), "Take another model, or serve this one elsewhere")
        return
    if family is not None and family.in_batch:
        yield good(what, "seen, many at once and beside text")
    elif family is not None:
        yield warning(what, "seen, but this family gives one answer at a time here", todo)


def _spread(files: ModelFiles, settings: WorkerSettings) -> Finding:
    """Check a model that is spread over all GPUs and this machine's memory.

    The disk would be far too slow.
    """
    import torch  # noqa: PLC0415  (seconds)

    cards = [torch.cuda.mem_get_info(card) for card in range(torch.cuda.device_count())]
    free, total = map(sum, zip(_machine_memory(), *cards, strict=True))
    where = f"spread over {len(cards)} cards and memory, one answer at a time"
    return memory(where, free, total, _need(files, settings, "cuda" if cards else "cpu"))


def _compiler() -> Finding:
    """Triton builds a small C program for each of its kernels."""
    header = Path(sysconfig.get_paths()["include"], "Python.h")
    compiler = os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), None)
    if compiler is None or not header.is_file():
        lacking = "no C compiler" if compiler is None else f"no {header}"
        return fault("C compiler", f"{lacking}, which Triton needs", "apt install gcc python3-dev")
    return good("C compiler", compiler)


def memory(device: str, free: int, total: int, need: int) -> Finding:
    """Bytes; `need` is for the weights and one whole conversation."""
    what = "memory"
    told = f"{device}: {free / GIB:.1f} of {total / GIB:.1f} GiB free, {need / GIB:.1f} needed"
    if total < need:
        return fault(what, told, "Take a smaller model, a larger device or INFERENCE_ENGINE=openai")
    if free < need:
        return warning(what, told, "It would do once others leave it; a running worker is one")
    return good(what, told)


def _need(files: ModelFiles, settings: WorkerSettings, device: str) -> int:
    from transformers import AutoConfig  # noqa: PLC0415  (seconds)

    from inference.engines.batch_config import cache_bytes  # noqa: PLC0415

    config = AutoConfig.from_pretrained(files.folder, local_files_only=True).get_text_config()
    tokens = min(settings.context_tokens or CONTEXT_TOKENS, int(config.max_position_embeddings))
    weights = weight_bytes(files.folder, settings.quantize)
    return weights + tokens * cache_bytes(config) + BESIDE_BYTES[device]


def _machine_memory() -> tuple[int, int]:
    """Free and total bytes, of this control group where it has less than the machine."""
    lines = dict(line.split(":", 1) for line in _read("/proc/meminfo").splitlines())
    free, total = (int(lines[name].split()[0]) << 10 for name in ("MemAvailable", "MemTotal"))
    limit = _read("/sys/fs/cgroup/memory.max").strip()
    if limit.isdecimal() and int(limit) < total:
        total = int(limit)
        free = min(free, total - int(_read("/sys/fs/cgroup/memory.current") or 0))
    return free, total


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8")
    except OSError:
        return ""

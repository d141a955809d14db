"""Chooses a model for this machine, and downloads it where it is not here yet.

Where the person chose none, llama.cpp serves the largest model of `PACKAGED` that fits the memory
and the disk. A smaller one that is here already serves until the download is complete. Where a hub
is reached, a general model is offered: those of packages were trained for code.
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from inference.config import WorkerSettings, from_arguments
from inference.engines import auto_select
from inference.models import ModelError, ModelMissing, catalog, gguf, hub_listing, model_store
from inference.models import resolve as resolve_model

FALLBACK = "SmolLM2-135M-Instruct"
MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container
REPORT_SHARE = 0.1  # of a background download, between two lines
IDLE_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class ModelCandidate:
    """A model that llama.cpp may serve here."""

    name: str
    memory: int  # bytes, with four conversations

    @property
    def is_here(self) -> bool:
        return gguf.find(self.name) is not None

    @property
    def download(self) -> int:
        """Return the bytes to download."""
        known = catalog.find(self.name)
        if known is None:
            return 0
        if known.packaged is not None:
            return known.packaged.download
        return known.hub_gguf.size if known.hub_gguf is not None else 0

    def fits(self) -> bool:
        """Return whether the memory and, for a download, the disk have room for it."""
        if self.memory > available_memory():
            return False
        if self.is_here:
            return True
        known = catalog.find(self.name)
        joined = known.packaged.size if known is not None and known.packaged is not None else 0
        with suppress(ModelError):
            model_store.require_space(self.download + joined)
            return True
        return False


# The largest first.
PACKAGED = (
    ModelCandidate("Qwen2.5-Coder-1.5B-Instruct", 3_000_000_000),
    ModelCandidate("Qwen2.5-Coder-0.5B-Instruct", 1_500_000_000),
    ModelCandidate(FALLBACK, 0),
)
# Qwen3 has the Apache licence. InternLM2.5-1.8B asks firms to apply for one, and InternLM3 has 8
# billion parameters.
ON_HUBS = (ModelCandidate("Qwen3-4B", 6_000_000_000), ModelCandidate("Qwen3-1.7B", 4_000_000_000))

BUILT_IN_VISION = "eye"  # knows only simple shapes and digits
VISION_ON_HUBS = ModelCandidate("InternVL3_5-1B", 5_000_000_000)  # in bf16, by transformers


class NoModelError(Exception):
    """The model is not on this machine and could not be downloaded. The message has a way out."""


async def ensure_model(arguments: argparse.Namespace) -> str | None:
    """Make a model ready to serve. May change engine and model in `arguments`.

    Return the name of a better model that should be downloaded while this one serves.

    Raises:
        NoModelError: no download succeeded, or there is no model of that name.
    """
    settings = from_arguments(arguments)
    is_chosen = arguments.model is not None or "INFERENCE_MODEL" in os.environ
    by_llamacpp = settings.engine == "llamacpp" or (
        settings.engine == "auto" and auto_select.prefers_llamacpp(settings)
    )
    if by_llamacpp and not is_chosen:
        arguments.engine = "llamacpp"
        arguments.model, better = await _choose_model()
        return better
    await _ensure_chosen(settings, arguments)
    return None


async def _choose_model() -> tuple[str, str | None]:
    """Return the model to serve now, and a better one to download meanwhile.

    Raises:
        NoModelError: none is here, and none could be downloaded.
    """
    fitting = [each for each in PACKAGED if each.fits()] or [PACKAGED[-1]]
    here = next((each for each in (*ON_HUBS, *PACKAGED) if each.is_here and each.fits()), None)
    if here is not None:
        is_best = here in ON_HUBS or here is fitting[0]
        return here.name, None if is_best else fitting[0].name
    for candidate in (*await _offer_from_hub(), *fitting):
        print(f"Fetching {candidate.name} once, {_gigabytes(candidate.download)}.", flush=True)
        if await _pull(candidate.name, "--gguf"):
            return candidate.name, None
        print(f"{candidate.name} could not be fetched (see above).", flush=True)
    raise NoModelError(
        "No model is on this machine, and none could be fetched (see above). What has arrived is "
        "kept: start again to go on. Without a model: --engine scripted"
    )


def choose_vision_model() -> str:
    """Return the model that answers questions about images: the built-in one, unless a general
    one was pulled and fits beside the other processes.
    """
    general = VISION_ON_HUBS
    has_room = general.memory <= available_memory()
    return general.name if has_room and _is_installed(general.name) else BUILT_IN_VISION


async def _offer_from_hub() -> Sequence[ModelCandidate]:
    """Return the general model that the person wants from a hub; none where no hub is reached."""
    offer = next((each for each in ON_HUBS if each.fits()), None)
    if offer is None:
        return ()
    addresses = {"hub": hub_listing.hub_address(), "modelscope": hub_listing.modelscope_address()}
    if len(await asyncio.to_thread(hub_listing.unreachable, addresses)) == len(addresses):
        return ()
    print(
        "The built-in vision model knows only simple shapes and digits. For photographs: ", end=""
    )
    print(f"python -m inference models pull {VISION_ON_HUBS.name}", flush=True)
    size = _gigabytes(offer.download)
    if _confirm(f"A model hub is reached. Fetch the general model {offer.name}, {size}?"):
        return (offer,)
    print(f"A general model for this machine: --model {offer.name} ({size}).", flush=True)
    return ()


async def fetch_better_model(
    name: str, is_idle: Callable[[], Awaitable[bool]], switch: Callable[[str], Awaitable[None]]
) -> None:
    """Download a model while a smaller one serves. Switch to it once nobody waits for an answer."""
    candidate = next(each for each in PACKAGED if each.name == name)
    size = _gigabytes(candidate.download)
    print(f"A better model, {name}, is fetched meanwhile: {size}.", flush=True)
    if not await _pull_in_background(name):
        print(f"{name} could not be fetched. What has arrived is kept for the next start.")
        return
    while True:
        if await is_idle():
            break
        await asyncio.sleep(IDLE_POLL_S)
    print(f"{name} is here and serves from now on.", flush=True)
    await switch(name)


async def _ensure_chosen(settings: WorkerSettings, arguments: argparse.Namespace) -> None:
    """Download the model that the person chose, for the engine that can serve it."""
    if settings.engine in ("auto", "llamacpp") and await _ensure_gguf(settings):
        arguments.engine = "llamacpp"
        return
    if settings.engine not in ("auto", "transformers"):
        return
    arguments.engine = "transformers"
    if _is_installed(settings.model):
        return
    print(f"{settings.model} is not on this machine yet; fetching it once.", flush=True)
    if await _pull(settings.model):
        return
    wants_fallback = settings.model != FALLBACK and _confirm(f"Use the small {FALLBACK} instead?")
    if wants_fallback and (_is_installed(FALLBACK) or await _pull(FALLBACK)):
        arguments.model = FALLBACK
        return
    raise NoModelError(
        f"{settings.model} could not be brought here (see above). Try the small one: "
        f"--model {FALLBACK}; or no model at all: --engine scripted"
    )


async def _ensure_gguf(settings: WorkerSettings) -> bool:
    """Return whether llama.cpp can answer, after a download of its file where that is missing."""
    if settings.engine == "auto" and not auto_select.prefers_llamacpp(settings):
        if not auto_select.has_gpu():
            print("Without a GPU llama.cpp would answer about three times as fast: ", end="")
            print("pip install 'commonroom[cpu]'", flush=True)
        return False
    if gguf.find(settings.model):
        return True
    known = catalog.find(settings.model)
    if known is None or not known.has_gguf:
        return False
    print(f"Fetching {known.name} for llama.cpp, once.", flush=True)
    return await _pull(known.name, "--gguf")


def available_memory() -> int:
    """Return the bytes of memory that this process may still use, also in a container."""
    available = psutil.virtual_memory().available
    with suppress(OSError, ValueError):
        available = min(available, int(MEMORY_LIMIT.read_text("ascii")))
    return available


def _is_installed(name: str) -> bool:
    try:
        resolve_model(name)
    except ModelMissing as error:
        if type(error) is ModelMissing:
            return False
        raise NoModelError(str(error)) from error
    except ModelError as error:
        raise NoModelError(str(error)) from error
    return True


async def _pull(name: str, *options: str) -> bool:
    """Download a model by a process that shows its progress on this terminal."""
    process = await asyncio.create_subprocess_exec(*_pull_command(name, *options))
    try:
        return await process.wait() == 0
    finally:
        await _end_process(process)


async def _pull_in_background(name: str) -> bool:
    """Download a model by a process whose progress is printed in a few lines."""
    command = _pull_command(name, "--gguf", "--progress", "json")
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    printed = 0.0
    try:
        assert process.stdout is not None  # noqa: S101
        async for line in process.stdout:
            progress = json.loads(line)
            share = progress["done"] / progress["total"] if progress["total"] else 0.0
            if progress["stage"] == "download" and share >= printed + REPORT_SHARE:
                printed = share
                print(f"  {name}: {share:.0%}", flush=True)
        return await process.wait() == 0
    finally:
        await _end_process(process)


async def _end_process(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.terminate()
        await process.wait()


def _pull_command(name: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "inference", "models", "pull", name, *options]


def _confirm(question: str) -> bool:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    return input(f"{question} [Y/n] ").strip().lower() in ("", "y", "yes")


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f} GB"

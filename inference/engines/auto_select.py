"""Selects the engine that answers fastest here, where the operator chose none. By measurement:
docs/performance.md.

A GPU is the in-process engine's. Without one llama.cpp writes about three times as many tokens a
second, so it answers wherever it is installed and the model's GGUF is on this machine; and where
there is no torch it is the only one.
"""

import ctypes
from importlib.util import find_spec

from inference.config import WorkerSettings
from inference.models import gguf

DRIVERS = ("libcuda.so.1", "libamdhip64.so")


def choose_engine(settings: WorkerSettings) -> str:
    """Return what `auto` means here: `llamacpp` or `transformers`."""
    if not prefers_llamacpp(settings):
        return "transformers"
    only = find_spec("torch") is None
    return "llamacpp" if only or gguf.find(settings.model) is not None else "transformers"


def prefers_llamacpp(settings: WorkerSettings) -> bool:
    """Return whether llama.cpp would be chosen if the model's GGUF were here."""
    ours = settings.quantize or settings.spread or not settings.chats
    return not ours and has_llamacpp() and not has_gpu()


def has_llamacpp() -> bool:
    return find_spec("xllamacpp") is not None


def has_gpu() -> bool:
    """Return whether there is a GPU, without importing torch, which takes seconds.

    CUDA_VISIBLE_DEVICES counts.
    """
    return any(map(_has_device, DRIVERS))


def _has_device(library: str) -> bool:
    try:
        driver = ctypes.CDLL(library)
    except OSError:
        return False
    count = ctypes.c_int()
    prefix = "cu" if "cuda" in library else "hip"
    if getattr(driver, f"{prefix}Init")(0):
        return False
    ask = driver.cuDeviceGetCount if prefix == "cu" else driver.hipGetDeviceCount
    return not ask(ctypes.byref(count)) and count.value > 0

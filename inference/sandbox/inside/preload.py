"""Imports the libraries that every program finds ready, with caches and fonts for Chinese too."""

import contextlib
import dataclasses
import gc
import importlib
import io
import os
import site
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

PRELOADED = ("sympy", "numpy", "matplotlib")

# What programs import next to these. numpy loads its own parts at their first use.
_MODULES = (
    *("numpy.random", "numpy.linalg", "numpy.fft", "numpy.polynomial", "mpmath"),
    *("collections", "csv", "datetime", "decimal", "fractions", "functools", "itertools"),
    *("json", "math", "random", "re", "statistics", "dataclasses", "cmath", "bisect", "heapq"),
)

# matplotlib draws each character with the first family that has it.
_FAMILIES = (
    "DejaVu Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",  # the first face of the one file that has all, and all that is seen of it
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Micro Hei",
)
_CHINESE_ELSEWHERE = (
    *("SimHei", "SimSun", "NSimSun", "KaiTi", "FangSong", "Microsoft YaHei", "Microsoft JhengHei"),
    *("PingFang SC", "Heiti SC", "Heiti TC", "STHeiti", "STSong", "STKaiti", "Hiragino Sans GB"),
    *("Arial Unicode MS", "Noto Sans CJK SC", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei"),
)


def preload_libraries() -> None:
    """Import, then use once what nearly every program uses, so that caches are full at a fork."""
    site.setquit()  # `exit()`: the interpreter is started without site
    _import()
    _solve()
    _draw()
    _single_threaded()
    gc.collect()
    gc.freeze()  # a child's collections leave these pages shared


def _import() -> None:
    for name in _MODULES:
        importlib.import_module(name)


def _solve() -> None:
    """One of each everyday kind, with other numbers than anybody's."""
    sp: Any = importlib.import_module("sympy")
    x, y = sp.symbols("x y")
    sp.solve(2 * x + 3 - 10, x)
    sp.solve(3 * x**2 - 5 * x - 11, x)
    sp.solve(sp.Eq(x**3 - 6 * x**2 + 11 * x, 6), x)
    sp.solve([x + y - 10, x - y - 4], [x, y])
    sp.solve(x**2 - 7 * x + 10 > 0, x)
    sp.solveset(sp.sin(x) - 1, x)
    sp.integrate(x**2 * sp.sin(x), (x, 0, sp.pi))
    sp.diff(sp.exp(x) * sp.log(x), x)
    sp.limit(sp.sin(3 * x) / x, x, 0)
    sp.factor(x**4 - 16)
    sp.nsolve(sp.cos(x) - x, x, 1)
    sp.Matrix([[1, 2], [3, 5]]).inv()
    str(sp.simplify(sp.sin(x) ** 2 + sp.cos(x) ** 2)), sp.N(sp.pi, 30), sp.factorint(5040)


def _draw() -> None:
    with _no_folder_made():
        matplotlib: Any = importlib.import_module("matplotlib")
        manager: Any = importlib.import_module("matplotlib.font_manager").fontManager
    known = set(manager.get_font_names())
    families = [family for family in _FAMILIES if family in known]
    for parameters in (matplotlib.rcParams, matplotlib.rcParamsDefault):
        parameters["font.sans-serif"] = families
        parameters["font.family"] = families  # of a generic one only the first is looked at
    _name_fonts_as_programs_do(manager, known)
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    styles: Any = importlib.import_module("matplotlib.style").library
    for name in [each for each in styles if each.startswith("seaborn-v0_8")]:
        styles[name.replace("-v0_8", "")] = styles[name]  # as it was called for years
    pyplot.plot([1, 2])
    pyplot.title("$x^2$ 图")
    pyplot.savefig(io.BytesIO(), format="png")
    pyplot.close("all")


def _name_fonts_as_programs_do(manager: Any, known: set[str]) -> None:
    """Other systems' fonts for Chinese stand for the one that is here."""
    chinese = next((name for name in _FAMILIES[1:] if name in known), None)
    if chinese is None:
        return
    faces = [face for face in manager.ttflist if face.name == chinese]
    for name in set(_CHINESE_ELSEWHERE) - known:
        manager.ttflist += [dataclasses.replace(face, name=name) for face in faces]


@contextlib.contextmanager
def _no_folder_made() -> Iterator[None]:
    """matplotlib insists on a folder for its font list, and would leave it when it is killed."""
    real, tempfile.mkdtemp = tempfile.mkdtemp, lambda **_: "/nonexistent"  # type: ignore[assignment]
    try:
        yield
    finally:
        tempfile.mkdtemp = real


def _single_threaded() -> None:
    """A lock that another thread holds at the fork would be held for ever in the child."""
    threads = len(os.listdir("/proc/self/task"))
    if threads != 1:
        raise RuntimeError(f"{threads} threads after importing {', '.join(PRELOADED)}")
    sys.stdout.flush()

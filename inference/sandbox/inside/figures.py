"""Sends the pictures that a program draws with matplotlib.

`plt.show()` sends what is open; so does the program's end. `savefig("name.png")` sends too,
since there is no disk to save to and models write it all the time. There is no window either, so
whichever backend a program asks for, Agg draws.
"""

import io
import math
import os
import sys
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from inference.sandbox.inside import messages

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 100.0


def _do_nothing(*_: object, **__: object) -> None:
    pass


class FigureSender:
    def __init__(self, send: Callable[[messages.Frame], None], task: messages.Task) -> None:
        self._send = send
        self._left = task.figures
        self._task = task
        self._saved: weakref.WeakSet[Figure] = weakref.WeakSet()  # by savefig, so not again

    def install(self) -> None:
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        figure = sys.modules["matplotlib.figure"].Figure
        self._render = figure.savefig
        figure.savefig = self._savefig(figure.savefig)
        pyplot.show = self._show  # type: ignore[attr-defined]
        pyplot.pause = pyplot.switch_backend = _do_nothing  # type: ignore[attr-defined]
        sys.modules["matplotlib"].use = _do_nothing  # type: ignore[attr-defined]

    def all_open(self) -> None:
        """Send every open figure that was not sent yet, and close all."""
        pyplot: Any = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        for number in pyplot.get_fignums():
            figure = pyplot.figure(number)
            if figure not in self._saved:
                self._emit(figure)
        pyplot.close("all")

    def _show(self, *_: object, **__: object) -> None:
        self.all_open()

    def _savefig(self, real: Any) -> Any:
        def savefig(figure: "Figure", fname: Any, **options: Any) -> None:
            if not isinstance(fname, str | os.PathLike):
                real(figure, fname, **options)
                return
            self._emit(figure)
            self._saved.add(figure)

        return savefig

    def _emit(self, figure: "Figure") -> None:
        if self._left <= 0:
            return
        self._left -= 1
        png = io.BytesIO()
        self._render(figure, png, format="png", dpi=self._dpi(figure))
        if png.tell() <= self._task.figure_bytes:
            self._send(messages.FigurePng(png.getvalue()))
        else:
            self._send(messages.Stderr(f"figure left out: {png.tell():,} bytes\n"))

    def _dpi(self, figure: "Figure") -> float:
        """100, or less where the picture would have more pixels than allowed."""
        width, height = (max(float(inches), 1e-3) for inches in figure.get_size_inches())
        # One pixel less in each direction: matplotlib rounds up.
        fitting = math.sqrt(self._task.figure_pixels / (width * height))
        return min(_DPI, fitting * 0.99)

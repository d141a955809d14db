"""A complete answer made ready to be shown: typeset, a solution set apart, with its plots."""

from types import TracebackType
from typing import Self

from bot.render import steps
from bot.render.boxes import set_apart
from bot.render.dress import Dressed
from bot.render.picture import Picture
from bot.render.studio import Studio
from bot.reply import Outcome
from bot.words import Words
from bot.work import Work
from jobqueue.blobs import Blobs
from jobqueue.errors import QueueUnavailable

MOST_PLOTS = 8  # below one answer
MAX_PLOT_BYTES = 8 << 20
PNG = b"\x89PNG\r\n\x1a\n"


class Dressing:
    """`async with Dressing(blobs) as dressing: await dressing.dress(text, outcome, words)`."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._studio = Studio()

    async def __aenter__(self) -> Self:
        await self._studio.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._studio.__aexit__(kind, error, traceback)

    async def dress(self, text: str, outcome: Outcome, words: Words) -> Dressed:
        is_solution = outcome.check is not None
        dressed = await self._studio.dress(set_apart(text) if is_solution else text)
        if outcome.work and not is_solution:  # of a solution its card tells
            dressed = dressed.under("\n".join(steps.folded(outcome.work, words)))
        return dressed.over(await self._plots(outcome.work, words))

    async def _plots(self, work: Work, words: Words) -> list[Picture]:
        """Those that are still there; what is no picture is left out."""
        found = []
        for number, (step, figure) in enumerate(work.figures[:MOST_PLOTS], start=1):
            png = await self._bytes(figure.sha256)
            if png.startswith(PNG) and len(png) <= MAX_PLOT_BYTES:
                alt = words("plot-alt", {"number": number, "step": step.number})
                found.append(Picture(f"plot-{number}.png", png, alt))
        return found

    async def _bytes(self, sha256: str) -> bytes:
        try:
            return await self._blobs.get(sha256) or b""
        except QueueUnavailable:
            return b""

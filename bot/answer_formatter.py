"""Formatting of complete answers: typeset formulas, a solution set apart, plots and figures."""

from dataclasses import replace

from bot.agent_trace import AgentTrace
from bot.article.message_layout import (
    ArticleView,
    FigureView,
    SectionView,
    figure_caption,
    section_markdown,
)
from bot.i18n import Words
from bot.render import steps_text
from bot.render.components_layout import MOST_BYTES
from bot.render.format_answer import FormattedAnswer, highlight_result
from bot.render.render_process import RenderProcess
from bot.render.svg_to_png import RenderedImage
from bot.reply_protocol import AnswerOutcome
from jobqueue.article import Article, ArticleFigure, ImageSlot, Section
from jobqueue.blobs import Blobs
from jobqueue.errors import QueueUnavailable

MOST_CANDIDATES = 9  # shown at once
NAMED_BY = 16  # digits of a hash
MOST_PLOTS = 8  # below one answer
MAX_PLOT_BYTES = 8 << 20
PNG = b"\x89PNG\r\n\x1a\n"


class AnswerFormatter:
    """A formatter of answers, until `aclose`."""

    def __init__(self, blobs: Blobs) -> None:
        self._blobs = blobs
        self._render_process = RenderProcess()

    async def aclose(self) -> None:
        await self._render_process.aclose()

    async def format_answer(
        self, text: str, outcome: AnswerOutcome, words: Words
    ) -> FormattedAnswer | ArticleView:
        if outcome.article:
            return await self.format_article(outcome.article)
        is_solution = outcome.check is not None
        formatted = await self._render_process.render(
            highlight_result(text) if is_solution else text
        )
        if outcome.work and not is_solution:  # of a solution its card tells
            formatted = formatted.with_header("\n".join(steps_text.fold_steps(outcome.work, words)))
        return formatted.with_images_below(await self._load_plots(outcome.work, words))

    async def format_article(self, article: Article) -> ArticleView:
        """Typeset an article's texts, and load the pictures that are still there."""
        titles = (article.title, *[""] * len(article.sections))
        numbered = enumerate(zip(titles, article.sections, strict=False), start=1)
        return ArticleView(
            tuple(
                [await self._format_section(n, section, title) for n, (title, section) in numbered]
            )
        )

    async def _format_section(self, number: int, section: Section, title: str) -> SectionView:
        formatted = await self._render_process.render(section_markdown(section, title))
        blocks = (
            replace(block, name=f"{number}-{block.name}")
            if isinstance(block, RenderedImage)
            else block
            for block in formatted.blocks
        )
        figures = [slot.figure for slot in section.slots if slot.figure]
        figure_views = [await self._format_figure(figure) for figure in figures]
        return SectionView(tuple(blocks), tuple(figure_views))

    async def _format_figure(self, figure: ArticleFigure) -> FigureView:
        data = await self._load_bytes(figure.picture.sha256)
        if not data or len(data) > MAX_PLOT_BYTES:
            return FigureView(figure_caption(figure))
        return FigureView(
            figure_caption(figure),
            RenderedImage(figure_name(figure), data, figure.alt or figure.caption),
        )

    async def list_candidates(self, slot: ImageSlot) -> list[tuple[int, RenderedImage]]:
        """List the pictures that are offered for a slot, by their number there."""
        found: list[tuple[int, RenderedImage]] = []
        room = MOST_BYTES
        for number, figure in enumerate(slot.candidates):
            picture = (await self._format_figure(figure)).image
            if picture and len(picture.png) <= room and len(found) < MOST_CANDIDATES:
                found.append((number, picture))
                room -= len(picture.png)
        return found

    async def _load_plots(self, work: AgentTrace, words: Words) -> list[RenderedImage]:
        """Load the plots that are still there, except those that are no pictures."""
        found = []
        for number, (step, figure) in enumerate(work.figures[:MOST_PLOTS], start=1):
            png = await self._load_bytes(figure.sha256)
            if png.startswith(PNG) and len(png) <= MAX_PLOT_BYTES:
                alt = words("plot-alt", {"number": number, "step": step.number})
                found.append(RenderedImage(f"plot-{number}.png", png, alt))
        return found

    async def _load_bytes(self, sha256: str) -> bytes:
        try:
            return await self._blobs.get(sha256) or b""
        except QueueUnavailable:
            return b""


def figure_name(figure: ArticleFigure) -> str:
    """Return the name of a figure's file in Discord, by which its bytes are found again."""
    extension = figure.picture.media_type.rpartition("/")[2]
    return f"figure-{figure.picture.sha256[:NAMED_BY]}.{extension}"

"""The buttons under a finished answer. Each one's id holds all it needs, so that it works after
a restart.

The latest answer of a channel has them all; older ones keep only the thumbs, for what can be
done about an older one is replying to it, and a channel full of buttons is hard to read.
"""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Self

import discord

from bot.discord.article.article_components import article_buttons
from bot.feedback import Counts
from bot.i18n import Words
from bot.render.message_view import Row

if TYPE_CHECKING:
    from bot.discord.client import Commonroom

Button = discord.ui.Button[discord.ui.View]

LABELS = {"again": "button-again", "edit": "button-edit", "undo": "button-undo"}
EMOJI = {
    "again": "🔄",
    "retry": "🔄",
    "edit": "✏️",
    "undo": "↩️",
    "up": "👍",
    "down": "👎",
    "before": "◀️",
    "after": "▶️",
    "more": "⏩",
    "work": "🔍",
    "numbers": "🔢",
    "latex": "📋",
}
WORK = {"steps": "button-steps", "thoughts": "button-thoughts"}


class AnswerButton(
    discord.ui.DynamicItem[Button],
    template=r"answer:(?P<do>again|retry|edit|undo|up|down|before|at|after|more|work|numbers|latex):(?P<job>\d+)",
):
    def __init__(
        self, do: str, job_id: str, label: str = "", *, disabled: bool = False, row: int = 0
    ) -> None:
        button = Button(
            label=label or None,
            emoji=EMOJI.get(do),
            style=discord.ButtonStyle.grey,
            custom_id=f"answer:{do}:{job_id}",
            disabled=disabled,
            row=row,
        )
        super().__init__(button, row=row)
        self._do = do
        self._job_id = job_id

    @classmethod
    async def from_custom_id(
        cls,
        interaction: discord.Interaction,  # noqa: ARG003
        item: discord.ui.Item[discord.ui.View],  # noqa: ARG003
        match: re.Match[str],
    ) -> Self:
        return cls(match["do"], match["job"])

    async def callback(self, interaction: "discord.Interaction[Commonroom]") -> None:  # type: ignore[override]
        try:
            await interaction.client.actions.press(interaction, self._do, self._job_id)
        except Exception as error:  # the press's edge: its person is told
            await interaction.client.explain(interaction, error)


def view(row: Row, words: Words, votes: Counts | None = None) -> discord.ui.View:
    shown = discord.ui.View(timeout=None)
    for line in rows(row, words, votes):
        for button in line:
            shown.add_item(button)
    return shown


def rows(row: Row, words: Words, votes: Counts | None = None) -> list[list[Any]]:
    """The buttons, row by row."""
    votes = votes or Counts()
    if row.article:
        lines: list[list[Any]] = [article_buttons(row, words), _about_an_article(row, words, votes)]
    else:
        lines = [
            list(_first_row(row, words, votes)),
            list(_second_row(row, words)),
            list(_working_row(row, words)),
        ]
    return [line for line in lines if line]


def _about_an_article(row: Row, words: Words, votes: Counts) -> list[AnswerButton]:
    """Its question is not edited, its turn not taken back: its sections are."""
    again = [AnswerButton("again", row.job, words("button-again"), row=1)] if row.latest else []
    up = AnswerButton("up", row.job, _count(votes.up), row=1)
    return [*again, up, AnswerButton("down", row.job, _count(votes.down), row=1)]


def _first_row(row: Row, words: Words, votes: Counts) -> Iterator[AnswerButton]:
    if row.failed:
        if row.again:
            yield AnswerButton("retry", row.job, words("button-retry"))
        return
    if row.latest:
        for do, label in LABELS.items():
            yield AnswerButton(do, row.job, words(label))
    yield AnswerButton("up", row.job, _count(votes.up))
    yield AnswerButton("down", row.job, _count(votes.down))


def _second_row(row: Row, words: Words) -> Iterator[AnswerButton]:
    if not row.latest:
        return
    if row.versions > 1:
        place = f"{row.current + 1}/{row.versions}"
        last = row.current == row.versions - 1
        yield AnswerButton("before", row.job, disabled=row.current == 0, row=1)
        yield AnswerButton("at", row.job, place, disabled=True, row=1)
        yield AnswerButton("after", row.job, disabled=last, row=1)
    if row.cut:
        yield AnswerButton("more", row.job, words("button-more"), row=1)


def _working_row(row: Row, words: Words) -> Iterator[AnswerButton]:
    """Of older answers too, since it changes nothing about them."""
    if row.work:
        yield AnswerButton("work", row.job, words(WORK[row.work]), row=2)
    if row.numbers:
        yield AnswerButton("numbers", row.job, words("button-numbers"), row=2)
    if row.formulas:
        yield AnswerButton("latex", row.job, words("button-latex"), row=2)


def recounted(message: discord.Message, votes: Counts) -> discord.ui.View:
    """The buttons that a message has, with other numbers at its thumbs."""
    shown = discord.ui.View(timeout=None)
    for number, line in enumerate(message.components):
        for button in getattr(line, "children", ()):
            _, do, job_id = button.custom_id.split(":")
            label = {"up": _count(votes.up), "down": _count(votes.down)}.get(do, button.label or "")
            shown.add_item(AnswerButton(do, job_id, label, disabled=button.disabled, row=number))
    return shown


def _count(votes: int) -> str:
    return str(votes) if votes else ""

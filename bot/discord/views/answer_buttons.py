"""The buttons under an answer.

While an answer grows there is a Stop button. A finished one has more. The latest answer of a
channel has them all. Older ones keep only the thumbs: people reply to an older answer, and a
channel full of buttons is hard to read.
"""

from collections.abc import Iterator
from typing import Any

import discord

from bot.discord.article.article_components import article_buttons
from bot.discord.views.persistent_item import PersistentItem
from bot.feedback import Counts
from bot.i18n import Words
from bot.render.message_view import PendingApproval, Row

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
STEPS_LABELS = {"steps": "button-steps", "thoughts": "button-thoughts"}


class AnswerButton(
    PersistentItem,
    template=r"answer:(?P<do>again|retry|edit|undo|up|down|before|at|after|more|work|numbers|latex):(?P<job>\d+)",
):
    """A button that does one thing with a finished answer."""


class StopButton(PersistentItem, template=r"stop:(?P<job>\d+)"):
    """A button that stops an answer."""


class AllowButton(
    PersistentItem,
    template=r"allow:(?P<allowed>[01]):(?P<attempt>\d+):(?P<step>\d+):(?P<job>\d+)",
):
    """A button that allows or forbids a tool call."""


def answer_button(
    do: str, job_id: str, label: str = "", *, disabled: bool = False, row: int = 0
) -> AnswerButton:
    button: discord.ui.Button[Any] = discord.ui.Button(
        label=label or None,
        emoji=EMOJI.get(do),
        style=discord.ButtonStyle.grey,
        custom_id=f"answer:{do}:{job_id}",
        disabled=disabled,
        row=row,
    )
    return AnswerButton(button, row=row)


def stop_button(job_id: str, words: Words) -> StopButton:
    return StopButton(
        discord.ui.Button(
            label=words("button-stop"),
            emoji="⏹️",
            style=discord.ButtonStyle.grey,
            custom_id=f"stop:{job_id}",
        )
    )


def approval_buttons(asked: PendingApproval, job_id: str, words: Words) -> list[AllowButton]:
    about = f"{asked.attempt}:{asked.step}:{job_id}"
    green, grey = discord.ButtonStyle.green, discord.ButtonStyle.grey
    choices = (("1", "button-allow", "▶️", green), ("0", "button-forbid", "✖️", grey))
    return [
        AllowButton(
            discord.ui.Button(
                label=words(label), emoji=emoji, style=style, custom_id=f"allow:{allowed}:{about}"
            )
        )
        for allowed, label, emoji, style in choices
    ]


def buttons_view(row: Row, words: Words, votes: Counts | None = None) -> discord.ui.View:
    shown = discord.ui.View(timeout=None)
    for line in button_rows(row, words, votes):
        for button in line:
            shown.add_item(button)
    return shown


def button_rows(row: Row, words: Words, votes: Counts | None = None) -> list[list[Any]]:
    """Return the buttons, row by row."""
    votes = votes or Counts()
    if row.article:
        lines: list[list[Any]] = [article_buttons(row, words), _article_row(row, words, votes)]
    else:
        lines = [
            list(_first_row(row, words, votes)),
            list(_second_row(row, words)),
            list(_details_row(row, words)),
        ]
    return [line for line in lines if line]


def _article_row(row: Row, words: Words, votes: Counts) -> list[AnswerButton]:
    """Return an article's buttons. Its question cannot be edited or undone; its sections can."""
    again = [answer_button("again", row.job, words("button-again"), row=1)] if row.latest else []
    up = answer_button("up", row.job, _count(votes.up), row=1)
    return [*again, up, answer_button("down", row.job, _count(votes.down), row=1)]


def _first_row(row: Row, words: Words, votes: Counts) -> Iterator[AnswerButton]:
    if row.failed:
        if row.again:
            yield answer_button("retry", row.job, words("button-retry"))
        return
    if row.latest:
        for do, label in LABELS.items():
            yield answer_button(do, row.job, words(label))
    yield answer_button("up", row.job, _count(votes.up))
    yield answer_button("down", row.job, _count(votes.down))


def _second_row(row: Row, words: Words) -> Iterator[AnswerButton]:
    if not row.latest:
        return
    if row.versions > 1:
        place = f"{row.current + 1}/{row.versions}"
        last = row.current == row.versions - 1
        yield answer_button("before", row.job, disabled=row.current == 0, row=1)
        yield answer_button("at", row.job, place, disabled=True, row=1)
        yield answer_button("after", row.job, disabled=last, row=1)
    if row.cut:
        yield answer_button("more", row.job, words("button-more"), row=1)


def _details_row(row: Row, words: Words) -> Iterator[AnswerButton]:
    """Yield the buttons that only show details; older answers keep them."""
    if row.work:
        yield answer_button("work", row.job, words(STEPS_LABELS[row.work]), row=2)
    if row.numbers:
        yield answer_button("numbers", row.job, words("button-numbers"), row=2)
    if row.formulas:
        yield answer_button("latex", row.job, words("button-latex"), row=2)


def with_votes(message: discord.Message, votes: Counts) -> discord.ui.View:
    """Return a message's buttons with new counts of votes."""
    shown = discord.ui.View(timeout=None)
    for number, line in enumerate(message.components):
        for button in getattr(line, "children", ()):
            _, do, job_id = button.custom_id.split(":")
            label = {"up": _count(votes.up), "down": _count(votes.down)}.get(do, button.label or "")
            shown.add_item(answer_button(do, job_id, label, disabled=button.disabled, row=number))
    return shown


def _count(votes: int) -> str:
    return str(votes) if votes else ""

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
from bot.render.message_view import ButtonState, PendingApproval

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
    PersistentItem, template=r"allow:(?P<allowed>[01]):(?P<attempt>\d+):(?P<step>\d+):(?P<job>\d+)"
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


def buttons_view(state: ButtonState, words: Words, votes: Counts | None = None) -> discord.ui.View:
    shown = discord.ui.View(timeout=None)
    for line in button_rows(state, words, votes):
        for button in line:
            shown.add_item(button)
    return shown


def button_rows(state: ButtonState, words: Words, votes: Counts | None = None) -> list[list[Any]]:
    """Return the buttons, row by row."""
    votes = votes or Counts()
    if state.is_article:
        lines: list[list[Any]] = [article_buttons(state, words), _article_row(state, words, votes)]
    else:
        lines = [
            list(_first_row(state, words, votes)),
            list(_second_row(state, words)),
            list(_details_row(state, words)),
        ]
    return [line for line in lines if line]


def _article_row(state: ButtonState, words: Words, votes: Counts) -> list[AnswerButton]:
    """Return an article's buttons. Its question cannot be edited or undone; its sections can."""
    again = (
        [answer_button("again", state.job, words("button-again"), row=1)] if state.is_latest else []
    )
    up = answer_button("up", state.job, _count(votes.up), row=1)
    return [*again, up, answer_button("down", state.job, _count(votes.down), row=1)]


def _first_row(state: ButtonState, words: Words, votes: Counts) -> Iterator[AnswerButton]:
    if state.failed:
        if state.can_retry:
            yield answer_button("retry", state.job, words("button-retry"))
        return
    if state.is_latest:
        for do, label in LABELS.items():
            yield answer_button(do, state.job, words(label))
    yield answer_button("up", state.job, _count(votes.up))
    yield answer_button("down", state.job, _count(votes.down))


def _second_row(state: ButtonState, words: Words) -> Iterator[AnswerButton]:
    if not state.is_latest:
        return
    if state.version_count > 1:
        place = f"{state.current + 1}/{state.version_count}"
        last = state.current == state.version_count - 1
        yield answer_button("before", state.job, disabled=state.current == 0, row=1)
        yield answer_button("at", state.job, place, disabled=True, row=1)
        yield answer_button("after", state.job, disabled=last, row=1)
    if state.can_continue:
        yield answer_button("more", state.job, words("button-more"), row=1)


def _details_row(state: ButtonState, words: Words) -> Iterator[AnswerButton]:
    """Yield the buttons that only show details; older answers keep them."""
    if state.work:
        yield answer_button("work", state.job, words(STEPS_LABELS[state.work]), row=2)
    if state.has_numbers:
        yield answer_button("numbers", state.job, words("button-numbers"), row=2)
    if state.has_formulas:
        yield answer_button("latex", state.job, words("button-latex"), row=2)


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

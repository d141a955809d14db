"""Buttons and menus of articles. `bot.discord.article.article_actions` handles them."""

import discord

from bot.discord.views.persistent_item import PersistentItem
from bot.i18n import Words
from bot.render.message_view import ButtonState


class ArticleItem(
    PersistentItem, template=r"article:(?P<do>[a-z]+):(?P<job>\d+):(?P<section>\d+):(?P<slot>\d+)"
):
    """A button or menu of an article.

    Its id holds the action, the job, and in the editor the section and the slot.
    """

    @property
    def action(self) -> str:
        return self.fields["do"]

    @property
    def job(self) -> str:
        return self.fields["job"]

    @property
    def section(self) -> int:
        return int(self.fields["section"])

    @property
    def slot(self) -> int:
        return int(self.fields["slot"])

    @property
    def values(self) -> list[str]:
        """The options chosen in a menu."""
        return list(getattr(self.item, "values", []))


def custom_id(do: str, job: str, section: int = 0, slot: int = 0) -> str:
    return f"article:{do}:{job}:{section}:{slot}"


def button(  # noqa: PLR0917 — read in the order of the id
    do: str, job: str, label: str, emoji: str, section: int = 0, slot: int = 0
) -> ArticleItem:
    at = custom_id(do, job, section, slot)
    return ArticleItem(discord.ui.Button(label=label, emoji=emoji, custom_id=at))


def article_buttons(state: ButtonState, words: Words) -> list[ArticleItem]:
    """Return the buttons under an article."""
    shown = [
        button("edit", state.job, words("article-edit"), "✏️"),
        button("download", state.job, words("article-download"), "📥"),
    ]
    why = [button("why", state.job, words("article-why"), "❓")] if state.has_empty_slots else []
    return [*shown, *why]

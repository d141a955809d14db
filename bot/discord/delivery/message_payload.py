"""Arguments of discord.py's `send` and `edit` for an answer's messages."""

from io import BytesIO
from typing import Any

import discord

from bot.discord.views import answer_buttons
from bot.discord.views.embeds import notice_container, notice_embed, notice_text
from bot.i18n import Words
from bot.render.components_layout import Gap, Layout, Part
from bot.render.format_answer import stack
from bot.render.message_view import MessageView
from bot.render.split import MESSAGE_UNITS

DOCUMENT = "answer.md"
LONGEST_DESCRIPTION = 256  # of a picture in a gallery


class PayloadBuilder:
    """Builds the arguments for the messages of one job."""

    def __init__(self, job_id: str, words: Words) -> None:
        self._job_id = job_id
        self._words = words

    def build_send(self, face: MessageView) -> dict[str, Any]:
        """Return the arguments of a send. An absent view must stay absent there."""
        if face.layout:
            return {"files": self._files(face), "view": self._build_layout(face, face.layout)}
        view = {"view": found} if (found := self._view(face)) else {}
        files = self._files(face)
        return {
            "content": self._content(face) or None,
            "embeds": self._embeds(face),
            "files": files,
            **view,
        }

    def build_edit(self, face: MessageView) -> dict[str, Any]:
        """Return the arguments of an edit. It names everything, so that nothing old is left."""
        if face.layout:
            # A message of components has no content; naming that clears what was streamed.
            return {
                "content": None,
                "embeds": [],
                "attachments": self._files(face),
                "view": self._build_layout(face, face.layout),
            }
        return {
            "content": self._content(face) or None,
            "embeds": self._embeds(face),
            "attachments": self._files(face),
            "view": self._view(face),
        }

    def _content(self, face: MessageView) -> str:
        if not (face.notice and face.card_as_text):
            return face.content
        return stack(face.content, notice_text(face.notice, self._words))[:MESSAGE_UNITS]

    def _embeds(self, face: MessageView) -> list[discord.Embed]:
        if face.notice is None or face.card_as_text:
            return []
        return [notice_embed(face.notice, self._words)]

    def _files(self, face: MessageView) -> list[discord.File]:
        """Create the files anew for each attempt, since a sent file is used up."""
        pictures = face.layout.pictures if face.layout else filter(None, [face.picture])
        named = {picture.name: picture for picture in pictures}  # one may be shown twice
        files = [
            discord.File(BytesIO(picture.png), name, description=picture.alt)
            for name, picture in named.items()
        ]
        if face.document:
            files.append(discord.File(BytesIO(face.document.encode()), DOCUMENT))
        return files

    # --- made of components ---------------------------------------------------------------------

    def _build_layout(self, face: MessageView, layout: Layout) -> discord.ui.LayoutView:
        view = discord.ui.LayoutView(timeout=None)
        for part in layout.parts:
            view.add_item(_component(part))
        if face.document:
            view.add_item(discord.ui.File(f"attachment://{DOCUMENT}"))
        if face.notice:
            view.add_item(notice_container(face.notice, self._words))
        for line in self._rows(face):
            row: discord.ui.ActionRow[discord.ui.LayoutView] = discord.ui.ActionRow()
            for button in line:
                row.add_item(button)
            view.add_item(row)
        return view

    def _rows(self, face: MessageView) -> list[list[Any]]:
        if face.row:
            return answer_buttons.button_rows(face.row, self._words)
        return [[answer_buttons.stop_button(self._job_id, self._words)]] if face.stoppable else []

    # --- plain ----------------------------------------------------------------------------------

    def _view(self, face: MessageView) -> discord.ui.View | None:
        if face.row:
            return answer_buttons.buttons_view(face.row, self._words)
        return self._build_growing_view(face) if face.stoppable else None

    def _build_growing_view(self, face: MessageView) -> discord.ui.View:
        view = discord.ui.View(timeout=None)
        if face.asks:
            for button in answer_buttons.approval_buttons(face.asks, self._job_id, self._words):
                view.add_item(button)
        view.add_item(answer_buttons.stop_button(self._job_id, self._words))
        return view


def _component(part: Part) -> "discord.ui.Item[discord.ui.LayoutView]":
    if isinstance(part, str):
        return discord.ui.TextDisplay(part)
    if isinstance(part, Gap):
        return discord.ui.Separator(visible=False)
    described = part.alt[:LONGEST_DESCRIPTION] or None
    shown = discord.MediaGalleryItem(f"attachment://{part.name}", description=described)
    return discord.ui.MediaGallery(shown)

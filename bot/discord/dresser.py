"""Faces as discord.py's arguments."""

from io import BytesIO
from typing import Any

import discord

from bot.discord import buttons
from bot.discord.allow import allowing
from bot.discord.cards import card
from bot.discord.stop import StopButton
from bot.render.faces import Face
from bot.words import Words

DOCUMENT = "answer.md"


class Dresser:
    """Turns the faces of one job into what `send` and `edit` take."""

    def __init__(self, job_id: str, words: Words) -> None:
        self._job_id = job_id
        self._words = words

    def new(self, face: Face) -> dict[str, Any]:
        """Arguments of a send; an absent view must stay absent there."""
        view = {"view": found} if (found := self._view(face)) else {}
        files = self._files(face)
        return {
            "content": face.content or None,
            "embeds": self._embeds(face),
            "files": files,
            **view,
        }

    def change(self, face: Face) -> dict[str, Any]:
        """Arguments of an edit, which names everything, so that nothing old is left."""
        return {
            "content": face.content or None,
            "embeds": self._embeds(face),
            "attachments": self._files(face),
            "view": self._view(face),
        }

    def _embeds(self, face: Face) -> list[discord.Embed]:
        return [card(face.notice, self._words)] if face.notice else []

    def _files(self, face: Face) -> list[discord.File]:
        """Read from their start at each attempt, since a sent file is used up."""
        files = []
        if picture := face.picture:
            files.append(discord.File(BytesIO(picture.png), picture.name, description=picture.alt))
        if face.document:
            files.append(discord.File(BytesIO(face.document.encode()), DOCUMENT))
        return files

    def _view(self, face: Face) -> discord.ui.View | None:
        if face.row:
            return buttons.view(face.row, self._words)
        return self._growing(face) if face.stoppable else None

    def _growing(self, face: Face) -> discord.ui.View:
        view = discord.ui.View(timeout=None)
        if face.asks:
            for button in allowing(face.asks, self._job_id, self._words):
                view.add_item(button)
        view.add_item(StopButton(self._job_id, self._words("button-stop")))
        return view

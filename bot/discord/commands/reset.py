"""`/reset`: clear a conversation, with a button that restores it.

A person's own turns are cleared at once. Those of others are cleared after a confirmation, and
only by people who may.
"""

from typing import Any

import discord

from bot.discord.access import require_place
from bot.discord.ask import job_factory
from bot.discord.ask.admission import asker_of
from bot.discord.commands.command_decorators import (
    Command,
    described_options,
    slash_command,
    usable_everywhere,
)
from bot.discord.host import Interaction
from bot.discord.views.embeds import notice_embed
from bot.discord.views.persistent_item import PersistentItem
from bot.i18n import words
from bot.notices import Notice, QuestionRefused, Tone

NOT_YOURS = Notice("reset-not-yours")
OTHERS_CLEAR = Notice("reset-undo-not-yours")
GONE = Notice("reset-gone")
NOBODY = discord.AllowedMentions.none()


@usable_everywhere
@slash_command("reset")
@described_options(private="option-reset-private-about")
async def reset(interaction: Interaction, private: bool = False) -> None:
    history = interaction.client.services.history
    conversation = job_factory.conversation(interaction, private=private)
    others = await history.list_authors(conversation) - {str(interaction.user.id)}
    if private or not others:
        await _clear(interaction, private=private)
        return
    await require_can_clear(interaction, others)
    stats = await history.get_stats(conversation)
    ask = Notice("reset-ask", arguments={"turns": stats.turns, "people": len(others) + 1})
    say = words(str(interaction.locale))
    view = _button("clear", interaction, private=False, label=say("reset-button"))
    await interaction.response.send_message(embed=notice_embed(ask, say), view=view, ephemeral=True)


async def require_can_clear(interaction: Interaction, others: set[str]) -> None:
    """Require a person who may clear the conversation. Raises `QuestionRefused`.

    Moderators may, everybody where the admins allow it, and a person who is its only author.
    """
    if others and not await _can_clear_all(interaction):
        raise QuestionRefused(NOT_YOURS)


async def _can_clear_all(interaction: Interaction) -> bool:
    if interaction.permissions.manage_messages:
        return True
    who = asker_of(interaction)
    wanted = await interaction.client.services.preferences.resolve(who.server, who.channels)
    return wanted.reset == "everybody"


async def _clear(interaction: Interaction, *, private: bool, confirmed: bool = False) -> None:
    say = words(str(interaction.locale))
    history, nonce = interaction.client.services.history, str(interaction.id)
    conversation = job_factory.conversation(interaction, private=private)
    turns = await history.clear(conversation, nonce=nonce, by=str(interaction.user.id))
    done = notice_embed(Notice("reset-done", Tone.INFO, {"turns": turns}), say)
    shown: dict[str, Any] = {"embed": done, "allowed_mentions": NOBODY}
    if turns and await history.is_restorable(conversation, nonce):
        shown["view"] = _button("undo", interaction, private=private, label=say("reset-undo"))
    hidden = private or not turns
    if confirmed:
        await interaction.response.edit_message(embed=done, view=None)
        if turns:
            await interaction.followup.send(**shown, ephemeral=hidden)
    else:
        await interaction.response.send_message(**shown, ephemeral=hidden)


def _button(do: str, interaction: Interaction, *, private: bool, label: str) -> discord.ui.View:
    style = discord.ButtonStyle.red if do == "clear" else discord.ButtonStyle.grey
    button: discord.ui.Button[Any] = discord.ui.Button(
        label=label,
        emoji="↩️" if do == "undo" else None,
        style=style,
        custom_id=f"reset:{do}:{interaction.channel_id}:{private:d}:{interaction.id}",
    )
    view = discord.ui.View(timeout=None)
    view.add_item(ResetButton(button))
    return view


class ResetButton(
    PersistentItem,
    template=r"reset:(?P<do>clear|undo):(?P<channel>\d+):(?P<private>[01]):(?P<nonce>\d+)",
):
    """A button that confirms or undoes a clear. Its id names the channel and the clear.

    The conversation follows from the person who presses it.
    """


async def handle_press(interaction: Interaction, button: ResetButton) -> None:
    fields = button.fields
    require_place(interaction, fields["channel"])
    if fields["do"] == "undo":
        await _restore(interaction, fields["nonce"], private=fields["private"] == "1")
        return
    conversation = job_factory.conversation(interaction)
    others = await interaction.client.services.history.list_authors(conversation)
    await require_can_clear(interaction, others - {str(interaction.user.id)})
    await _clear(interaction, private=False, confirmed=True)


async def _restore(interaction: Interaction, nonce: str, *, private: bool) -> None:
    history = interaction.client.services.history
    conversation = job_factory.conversation(interaction, private=private)
    by = "" if await _can_clear_all(interaction) else str(interaction.user.id)
    try:
        turns = await history.restore(conversation, nonce, by=by)
    except LookupError as error:
        raise QuestionRefused(GONE) from error
    except PermissionError as error:
        raise QuestionRefused(OTHERS_CLEAR) from error
    done = Notice("reset-undone", Tone.INFO, {"turns": turns})
    say = words(str(interaction.locale))
    await interaction.response.edit_message(embed=notice_embed(done, say), view=None)


ALL: tuple[Command, ...] = (reset,)

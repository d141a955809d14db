"""Checks on the ids of buttons, menus and forms.

People's clients send these ids, and they work after a restart. So whatever an id names is checked
against the channel and the person of the interaction.
"""

import discord

from bot.discord.delivery import reply_target
from bot.discord.delivery.reply_target import InteractionTarget
from bot.notices import Notice, QuestionRefused
from jobqueue.schema import Job

ELSEWHERE = Notice("access-elsewhere")
FORGOTTEN = Notice("access-forgotten")


def server_of(interaction: discord.Interaction) -> str:
    """Return the server whose share and rules count, or the person where there is none.

    In a server without the bot the person who brought it along asks: servers that they open would
    each give them another share.
    """
    is_ours = interaction.guild_id is not None and interaction.is_guild_integration()
    return str(interaction.guild_id if is_ours else interaction.user.id)


def require_here(interaction: discord.Interaction, job: Job) -> None:
    """Let an answer be used in its own channel, and a private one by its own person.

    A channel belongs to one server, so that this holds for servers too.

    Raises:
        QuestionRefused: it is shown in another channel, or only to another person.
    """
    target = reply_target.decode(job.reply)
    private = isinstance(target, InteractionTarget) and target.private
    if target.channel != str(interaction.channel_id):
        raise QuestionRefused(ELSEWHERE)
    if private and job.user != str(interaction.user.id):
        raise QuestionRefused(ELSEWHERE)


def require_asker_or_manager(interaction: discord.Interaction, job: Job, refusal: Notice) -> None:
    """Require the person who asked, or one who may manage messages. Raises `QuestionRefused`."""
    if job.user != str(interaction.user.id) and not interaction.permissions.manage_messages:
        raise QuestionRefused(refusal)


def require_place(interaction: discord.Interaction, *places: str) -> None:
    """Let a panel change only the channel where it was opened.

    Raises:
        QuestionRefused: one of the places is another channel, perhaps of another server.
    """
    if any(place != str(interaction.channel_id) for place in places):
        raise QuestionRefused(ELSEWHERE)

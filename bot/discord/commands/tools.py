"""`/tools`: the tools that the model may call in a channel.

Workers announce their tools. Where an admin chose none, chats call none: tools easily distract a
small model that could answer by itself. `/solve` runs programs in any case.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import discord

from bot.discord.access import require_place
from bot.discord.ask.admission import asker_of
from bot.discord.commands.command_decorators import Command, slash_command, usable_everywhere
from bot.discord.host import Interaction
from bot.discord.settings.settings_controller import can_change, require_can_change, server_of
from bot.discord.views import components_panel
from bot.discord.views.persistent_item import PersistentItem
from bot.i18n import Words, words
from bot.render.steps_text import tool_name
from jobqueue.errors import QueueUnavailable
from jobqueue.queue import JobQueue

MOST = 25  # that a menu holds
LONGEST_CHOICE = 100  # Discord's
TOOL_DESCRIPTIONS = {
    "python": "tool-python-about",
    "read_picture": "tool-read-picture-about",
    "calculate": "tool-calculate-about",
    "convert": "tool-convert-about",
    "now": "tool-now-about",
    "search_channel": "tool-search-channel-about",
    "search_files": "tool-search-files-about",
    "arxiv": "tool-arxiv-about",
    "search_web": "tool-search-web-about",
}


async def list_tools(queue: JobQueue) -> list[str]:
    """Return the tools of the running workers; none while the queue is unavailable."""
    try:
        names = {name for worker in await queue.list_workers() for name in worker.tools}
    except QueueUnavailable:
        return []
    return sorted(name for name in names if 0 < len(name) <= LONGEST_CHOICE)[:MOST]


@dataclass(frozen=True)
class ToolsPage:
    tools: Sequence[str]  # that workers have
    chosen: Sequence[str] | None  # None: nothing was chosen here
    channel: str
    needs_approval: bool  # a person, before each call
    can_choose: bool
    say: Words

    def texts(self) -> list[str]:
        title = f"## {self.say('tools-title')}"
        if not self.tools:
            return [title, self.say("tools-none")]
        notes = ["tools-default" if self.chosen is None else "tools-chosen"]
        notes += ["tools-asks"] if self.needs_approval else []
        small = "\n".join(f"-# {self.say(note)}" for note in notes)
        return [title, "\n".join(map(self._line, self.tools)), small]

    def rows(self) -> list[components_panel.ControlRow]:
        if not self.can_choose or not self.tools:
            return []
        options = [
            discord.SelectOption(
                label=tool_name(name, self.say).strip("`"),
                value=name,
                description=self._about(name)[:LONGEST_CHOICE] or None,
                default=name in (self.chosen or ()),
            )
            for name in self.tools
        ]
        menu: discord.ui.Select[discord.ui.LayoutView] = discord.ui.Select(
            custom_id=f"tools:{self.channel}",
            placeholder=self.say("tools-choose"),
            min_values=0,
            max_values=len(options),
            options=options,
        )
        ask: discord.ui.Button[discord.ui.LayoutView] = discord.ui.Button(
            custom_id=f"tools:{self.channel}:ask",
            label=self.say("tools-ask-off" if self.needs_approval else "tools-ask-on"),
        )
        return [components_panel.action_row(ToolsItem(item)) for item in (menu, ask)]

    def _line(self, name: str) -> str:
        mark = "●" if name in (self.chosen or ()) else "○"
        about = self._about(name)
        return f"{mark} **{tool_name(name, self.say)}**" + (f"　{about}" if about else "")

    def _about(self, name: str) -> str:
        return self.say(TOOL_DESCRIPTIONS[name]) if name in TOOL_DESCRIPTIONS else ""


@usable_everywhere
@slash_command("tools")
async def tools(interaction: Interaction) -> None:
    page = await _load_page(interaction)
    await components_panel.send_panel(interaction, page.texts(), page.rows())


async def _load_page(interaction: Interaction) -> ToolsPage:
    service, who = interaction.client.services, asker_of(interaction)
    service.preferences.refresh(who.server)
    wanted = await service.preferences.resolve(who.server, who.channels)
    return ToolsPage(
        tools=await list_tools(service.queue),
        chosen=wanted.tools,
        channel=str(interaction.channel_id),
        needs_approval=bool(wanted.approval),
        can_choose=can_change(interaction),
        say=words(str(interaction.locale)),
    )


class ToolsItem(PersistentItem, template=r"tools:(?P<channel>\d+)(?P<ask>:ask)?"):
    """A menu or button of the tools page. Its id holds the channel."""


async def change_tools(interaction: Interaction, control: ToolsItem) -> None:
    require_can_change(interaction)
    require_place(interaction, control.fields["channel"])
    preferences = interaction.client.services.preferences
    if control.fields["ask"]:
        change: dict[str, object] = {"approval": not (await _load_page(interaction)).needs_approval}
    else:
        offered = (await _load_page(interaction)).tools
        picked = getattr(control.item, "values", ())
        change = {"tools": tuple(name for name in picked if name in offered) or None}
    server, place = server_of(interaction), str(interaction.channel_id)
    await preferences.change(server, place, by=str(interaction.user.id), **change)
    page = await _load_page(interaction)
    await components_panel.edit_panel(interaction, page.texts(), page.rows())


ALL: tuple[Command, ...] = (tools,)

"""A small bot on hikari, which knows nothing of the local Discord but its address.

It prints a line of JSON for each thing that it saw.
"""

import asyncio
import json
import os
from typing import Any

import hikari

bot = hikari.GatewayBot(
    os.environ["TOKEN"],
    rest_url=f"{os.environ['API']}/v10",
    banner=None,
    intents=hikari.Intents.ALL_UNPRIVILEGED,
    logs="ERROR",
)


def tell(**seen: Any) -> None:
    print(json.dumps(seen), flush=True)


@bot.listen(hikari.StartedEvent)
async def started(_event: hikari.StartedEvent) -> None:
    application = await bot.rest.fetch_application()
    what = hikari.CommandOption(
        type=hikari.OptionType.STRING, name="what", description="What", is_required=False
    )
    commands = await bot.rest.set_application_commands(
        application.id,
        [
            bot.rest.slash_command_builder("ping", "Say pong").add_option(what),
            bot.rest.context_menu_command_builder(hikari.CommandType.MESSAGE, "Look"),
        ],
    )
    guilds = [guild.name for guild in bot.cache.get_guilds_view().values()]
    tell(commands=[command.name for command in commands], guilds=guilds)


@bot.listen(hikari.ShardResumedEvent)
async def resumed(_event: hikari.ShardResumedEvent) -> None:
    tell(resumed=True)


@bot.listen(hikari.ExceptionEvent)
async def failed(event: hikari.ExceptionEvent[Any]) -> None:
    tell(failed=repr(event.exception))


@bot.listen(hikari.DMMessageCreateEvent)
async def private(event: hikari.DMMessageCreateEvent) -> None:
    if not event.is_bot:
        tell(private=event.content)
        await event.message.respond("in private too")


@bot.listen(hikari.GuildMessageCreateEvent)
async def message(event: hikari.GuildMessageCreateEvent) -> None:
    if event.is_bot or not event.content or "answer me" not in event.content:
        return
    tell(member=event.member and event.member.display_name)
    given = b"abc"
    sent = await event.message.respond(
        "answer", reply=True, attachment=hikari.Bytes(given, "x.txt"), mentions_reply=False
    )
    await sent.edit("answer edited")
    got = await bot.rest.fetch_message(sent.channel_id, sent.id)
    quoted = got.referenced_message and got.referenced_message.content
    tell(fetched=got.content, quoted="answer me" in (quoted or ""))
    tell(file=(await got.attachments[0].read()).decode())
    await sent.add_reaction("👍")
    await sent.remove_reaction("👍")
    history = await bot.rest.fetch_messages(sent.channel_id).limit(5)
    tell(history=sent.id in [each.id for each in history])
    await sent.delete()
    try:
        await bot.rest.fetch_message(sent.channel_id, sent.id)
    except hikari.NotFoundError as error:
        tell(deleted=error.code)
    try:
        await bot.rest.create_message(sent.channel_id, "x" * 2001)
    except hikari.BadRequestError as error:
        tell(refused=error.code, errors=list(error.errors or ()))
    thread = await bot.rest.create_message_thread(sent.channel_id, event.message_id, "a thread")
    await bot.rest.create_message(thread.id, "in it")
    tell(thread=thread.name)


@bot.listen(hikari.InteractionCreateEvent)
async def interaction(event: hikari.InteractionCreateEvent) -> None:
    if isinstance(event.interaction, hikari.CommandInteraction):
        await command(event.interaction)
    elif isinstance(event.interaction, hikari.ComponentInteraction):
        await component(event.interaction)
    elif isinstance(event.interaction, hikari.ModalInteraction):
        fields = [part for row in event.interaction.components for part in row.components]
        tell(form=fields[0].value)
        await event.interaction.create_initial_response(
            hikari.ResponseType.MESSAGE_CREATE, "thanks", flags=hikari.MessageFlag.EPHEMERAL
        )


async def command(used: hikari.CommandInteraction) -> None:
    if used.command_name == "Look":
        assert used.resolved is not None
        tell(looked=[each.content for each in used.resolved.messages.values()])
        await used.create_modal_response("Form", "form", components=[form()])
        return
    tell(options=[option.value for option in used.options or ()])
    await used.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_CREATE)
    row = bot.rest.build_message_action_row()
    row.add_interactive_button(hikari.ButtonStyle.PRIMARY, "press", label="Press", emoji="👍")
    row.add_interactive_button(hikari.ButtonStyle.SECONDARY, "open", label="Open")
    await used.edit_initial_response("pong", components=[row])
    menu = bot.rest.build_message_action_row()
    menu.add_text_menu("menu").add_option("A", "a").add_option("B", "b")
    more = await used.execute(
        "more",
        component=menu,
        attachment=hikari.Bytes(b"file", "f.txt"),
        flags=hikari.MessageFlag.EPHEMERAL,
    )
    await used.edit_message(more, "more, edited")
    tell(initial=(await used.fetch_initial_response()).content)
    box = hikari.impl.ContainerComponentBuilder(accent_color=hikari.Color(0x5865F2))
    box.add_text_display("## In a box")
    await used.execute(components=[box], flags=hikari.MessageFlag.IS_COMPONENTS_V2)
    try:
        await used.create_initial_response(hikari.ResponseType.MESSAGE_CREATE, "twice")
    except hikari.BadRequestError as error:
        tell(twice=error.code)


async def component(used: hikari.ComponentInteraction) -> None:
    if used.custom_id == "press":
        await used.create_initial_response(
            hikari.ResponseType.MESSAGE_UPDATE, "pressed", components=[]
        )
    elif used.custom_id == "open":
        await used.create_modal_response("Form", "form", components=[form()])
    else:
        await used.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_UPDATE)
        await used.edit_initial_response("chosen " + ",".join(used.values))


def form() -> Any:
    return bot.rest.build_modal_action_row().add_text_input("field", "Say")


asyncio.set_event_loop(asyncio.new_event_loop())
bot.run(check_for_updates=False)

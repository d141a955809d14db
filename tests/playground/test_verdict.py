"""lost and doubled are computed from what people see: bots that break a promise are caught."""

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import discord
import pytest

from bot.i18n import words
from playground import script_actions
from playground.discord.json_types import Json
from playground.discord.server import LocalDiscord
from playground.outcome_judge import WAITING_COLOUR
from playground.script import play
from playground.transcript import TranscriptPrinter
from tests.playground.small_bot import Interaction, SmallBot, running

Chat = Callable[[Interaction, str], Awaitable[None]]
WAIT_S = 0.6  # what a question that is never answered may cost


class Alone:
    """A bot with nothing behind it; `full` is what every answer should hold."""

    def __init__(self, full: str | None = None) -> None:
        self.busy = 0  # commands that are not through yet
        self._full = full

    async def control(self, verb: str, target: str) -> None:
        raise AssertionError((verb, target))

    async def is_idle(self) -> bool:
        return self.busy == 0

    async def read_result(self, question: str) -> str | None:
        return self._full


class Form(discord.ui.Modal, title="Ask"):
    question: "discord.ui.TextInput[Form]" = discord.ui.TextInput(label="Q", custom_id="q")

    def __init__(self, chat: Chat) -> None:
        super().__init__()
        self._chat = chat

    async def on_submit(self, interaction: Interaction) -> None:  # type: ignore[override]
        await self._chat(interaction, self.question.value)


async def played(
    chat: Chat, server: LocalDiscord, tmp_path: Path, *lines: Json, full: str | None = None
) -> tuple[int, Json, list[Json]]:
    """The exit code, the summary and the lines before it."""
    bot, system = SmallBot(), Alone(full)

    async def busily(interaction: Interaction, prompt: str) -> None:
        system.busy += 1
        await chat(interaction, prompt)
        system.busy -= 1

    @bot.tree.command(name="chat", description="Chat")
    async def command(interaction: Interaction, prompt: str) -> None:
        await busily(interaction, prompt)

    @bot.tree.context_menu(name="Ask about this")
    async def menu(interaction: Interaction, message: discord.Message) -> None:
        await interaction.response.send_modal(Form(busily))

    async def answer(_: SmallBot, message: discord.Message) -> None:
        if message.guild is None or bot.user in message.mentions:
            await message.reply("mentioned")

    bot.answer = answer
    asked = lines or ({"do": "slash", "command": "chat", "options": {"prompt": "why"}},)
    script = [*asked, {"do": "wait", "timeout": WAIT_S}]
    file = tmp_path / "script.jsonl"
    file.write_text("\n".join(map(json.dumps, script)))
    out = io.StringIO()
    async with running(bot, server):
        transcript = TranscriptPrinter(server.backend.state, as_json=True, out=out)
        code = await play(script_actions.read_script(file), server, system, transcript)
    *events, summary = map(json.loads, out.getvalue().splitlines())
    return code, summary, events


def counts(summary: Json) -> tuple[int, int, int, int]:
    return summary["answered"], summary["told"], summary["lost"], summary["doubled"]


async def good(interaction: Interaction, prompt: str) -> None:
    await interaction.response.defer()
    await interaction.edit_original_response(content=prompt[:1])
    await interaction.edit_original_response(content=prompt)


async def in_parts(interaction: Interaction, prompt: str) -> None:
    await interaction.response.send_message("a" * 1900)
    await interaction.followup.send("b" * 100)


async def telling(interaction: Interaction, prompt: str) -> None:
    embed = discord.Embed(description="busy", colour=discord.Colour.red())
    await interaction.response.send_message(embed=embed, ephemeral=True)


async def still_thinking(interaction: Interaction, prompt: str) -> None:
    await interaction.response.defer()


async def still_waiting(interaction: Interaction, prompt: str) -> None:
    embed = discord.Embed(description="in line", colour=WAITING_COLOUR)
    await interaction.response.send_message(embed=embed)


async def still_streaming(interaction: Interaction, prompt: str) -> None:
    view = discord.ui.View(timeout=None)
    view.add_item(discord.ui.Button(label="Stop", custom_id="stop:1"))
    await interaction.response.send_message(prompt, view=view)


async def checked(interaction: Interaction, prompt: str) -> None:
    """An answer with the card that says how far it was checked, as the bot writes it."""
    card = discord.Embed(description=words()("check-verified"))
    await interaction.response.send_message(prompt, embed=card)


async def taken_back(interaction: Interaction, prompt: str) -> None:
    await interaction.response.send_message(prompt)
    await interaction.delete_original_response()


async def for_nobody(interaction: Interaction, prompt: str) -> None:
    """An answer, but to no question: nothing links it."""
    await interaction.response.defer()
    await interaction.delete_original_response()
    assert isinstance(interaction.channel, discord.TextChannel)
    await interaction.channel.send(prompt)


async def twice(interaction: Interaction, prompt: str) -> None:
    await interaction.response.send_message(prompt)
    await interaction.followup.send("another answer")


async def long_twice(interaction: Interaction, prompt: str) -> None:
    for _ in range(2):
        send = interaction.followup.send if interaction.response.is_done() else None
        await (send or interaction.response.send_message)("a" * 1900)


async def told_then_answered(interaction: Interaction, prompt: str) -> None:
    await telling(interaction, prompt)
    await interaction.followup.send(prompt)


@pytest.mark.parametrize(
    ("chat", "expected"),
    [
        (good, (1, 0, 0, 0)),
        (in_parts, (1, 0, 0, 0)),
        (checked, (1, 0, 0, 0)),
        (telling, (0, 1, 0, 0)),
        (still_thinking, (0, 0, 1, 0)),
        (still_waiting, (0, 0, 1, 0)),
        (still_streaming, (0, 0, 1, 0)),
        (taken_back, (0, 0, 1, 0)),
        (for_nobody, (0, 0, 1, 0)),
        (twice, (1, 0, 0, 1)),
        (long_twice, (1, 0, 0, 1)),
        (told_then_answered, (0, 1, 0, 1)),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
async def test_one_question(
    local_discord: LocalDiscord, tmp_path: Path, chat: Chat, expected: tuple[int, ...]
) -> None:
    code, summary, _ = await played(chat, local_discord, tmp_path)
    assert summary["asked"] == 1
    assert counts(summary) == expected
    assert code == int(expected[2] + expected[3] > 0)


@pytest.mark.parametrize(
    ("full", "expected"),
    [("w-h-y", (1, 0, 0, 0)), ("why not", (0, 0, 1, 0)), ("yhw", (0, 0, 1, 0))],
)
async def test_an_answer_must_be_whole(
    local_discord: LocalDiscord, tmp_path: Path, full: str, expected: tuple[int, ...]
) -> None:
    _, summary, _ = await played(good, local_discord, tmp_path, full=full)
    assert counts(summary) == expected


@pytest.mark.parametrize(("full", "doubled"), [("a" * 3800, 0), ("a" * 1900, 1)])
async def test_a_model_may_repeat_itself_and_a_bot_may_not(
    local_discord: LocalDiscord, tmp_path: Path, full: str, doubled: int
) -> None:
    _, summary, _ = await played(long_twice, local_discord, tmp_path, full=full)
    assert counts(summary) == (1, 0, 0, doubled)


async def with_a_picture(interaction: Interaction, prompt: str) -> None:
    picture = discord.File(io.BytesIO(b"picture"), "formula.png")
    await interaction.response.send_message("why", file=picture)
    await interaction.followup.send("not")


async def test_text_goes_on_below_a_picture(local_discord: LocalDiscord, tmp_path: Path) -> None:
    _, summary, _ = await played(with_a_picture, local_discord, tmp_path, full="why not")
    assert counts(summary) == (1, 0, 0, 0)


async def form_thinking(interaction: Interaction, prompt: str) -> None:
    await interaction.response.defer(thinking=True)


SAY: Json = {"do": "say", "user": "bob", "content": "look"}
ASK: Json = {"do": "context_menu", "command": "Ask about this", "to": 0}


@pytest.mark.parametrize(
    ("chat", "lines", "expected"),
    [
        (checked, [{"do": "submit", "values": {"q": "why"}, "to": 1}], (1, 0, 0, 0)),
        (checked, [{"do": "submit", "values": {"q": "why"}}, ASK], (1, 1, 0, 0)),
        (checked, [], (0, 1, 0, 0)),  # they see the form
        (telling, [{"do": "submit", "values": {"q": "why"}, "to": 1}], (0, 1, 0, 0)),
        (twice, [{"do": "submit", "values": {"q": "why"}, "to": 1}], (1, 0, 0, 1)),
        (form_thinking, [{"do": "submit", "values": {"q": "why"}, "to": 1}], (0, 0, 1, 0)),
        (taken_back, [{"do": "submit", "values": {"q": "why"}, "to": 1}], (0, 0, 1, 0)),
    ],
)
async def test_a_question_put_by_a_form_is_judged_by_the_form_s_answer(
    local_discord: LocalDiscord,
    tmp_path: Path,
    chat: Chat,
    lines: list[Json],
    expected: tuple[int, ...],
) -> None:
    _, summary, _ = await played(chat, local_discord, tmp_path, SAY, ASK, *lines, full="why")
    assert counts(summary) == expected


async def silent(interaction: Interaction, prompt: str) -> None:
    """Never acknowledges; Discord says so after three seconds."""
    interaction.client.heard.put_nowait(interaction)  # type: ignore[arg-type]


async def test_a_bot_that_does_not_respond_lost_the_question(
    local_discord: LocalDiscord, tmp_path: Path
) -> None:
    clock = local_discord.backend.state.clock
    with local_discord.world.subscribe() as changes:

        async def hurry() -> None:
            async for seen in changes:
                if seen.name == "INTERACTION_CREATE":
                    clock.advance(3.1)
                    return

        hurrying = asyncio.create_task(hurry())
        code, summary, events = await played(silent, local_discord, tmp_path)
        await hurrying
    assert (code, counts(summary)) == (1, (0, 0, 1, 0))
    assert events[0]["content"] == "The application did not respond"


async def test_every_way_to_ask_and_what_the_client_refuses(
    local_discord: LocalDiscord, tmp_path: Path
) -> None:
    code, summary, events = await played(
        good,
        local_discord,
        tmp_path,
        {"user": "ada", "do": "slash", "command": "chat", "options": {"prompt": "one"}},
        {"do": "wait", "timeout": 5},
        {"user": "bob", "do": "reply", "to": 0, "content": "two"},
        {"user": "cy", "channel": "new", "do": "say", "content": "@commonroom three"},
        {"user": "cy", "channel": "dm", "do": "say", "content": "four"},
        {"user": "cy", "channel": "new", "do": "say", "content": "among ourselves"},
        {"do": "slash", "command": "chat", "options": {"prompt": "x" * 6001}},
        {"do": "say", "content": "x" * 2001},
        {"do": "wait", "timeout": 5},
    )
    assert (code, summary["asked"], counts(summary)) == (0, 6, (4, 2, 0, 0))
    by_bot = [e for e in events if e.get("author") == "commonroom" and e["event"] == "create"]
    assert {e["action"] for e in by_bot} == {0, 2, 3, 4}
    assert {e["channel"] for e in events if "channel" in e} == {"general", "new", "@cy"}
    assert [e["action"] for e in events if e["event"] == "refused"] == [6, 7]
    assert all(e["visible_to"] == "all" for e in by_bot)

"""`/history`, `/export` and `/forget`: what the model remembers, and a person's own data."""

import asyncio
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import discord
import msgspec
from PIL import Image

from bot import notices, problem_numbers
from bot.discord import access
from bot.discord.ask import job_factory
from bot.discord.commands.command_decorators import (
    Command,
    described_options,
    slash_command,
    usable_everywhere,
)
from bot.discord.host import Interaction
from bot.discord.views import components_panel
from bot.discord.views.persistent_item import PersistentItem
from bot.i18n import Words, words
from bot.notices import Notice, QuestionRefused, Tone
from jobqueue.blobs import Blobs
from jobqueue.history import (
    History,
    LoadedHistory,
    count_turn_tokens,
    load_visible_images,
    select_images,
)
from jobqueue.job_records import JobRecords
from jobqueue.rate_limit import UserLimits
from jobqueue.schema import READ, VISION, Job, Summary, Turn, WorkerStatus
from jobqueue.structs import Attachment

METER_CELLS = 12
SHOWN_TURNS = 5
SHOWN_CHARS = 60
THUMBNAIL_SIDE = 320  # pixels
MOST_NAMES = 10  # of images that are gone
SUMMARY_CHARS = 1_500
EXPORT_LIMITS = UserLimits(per_minute=1, per_day=20)
DEFAULT_CONTEXT = 8_192  # tokens, while no worker tells its own


# --- what is remembered -------------------------------------------------------------------------


@usable_everywhere
@slash_command("history")
@described_options(private="option-history-private-about")
async def history(interaction: Interaction, private: bool = False) -> None:
    service = interaction.client.services
    workers = await service.queue.list_workers()
    read = [w.context_tokens for w in workers if "chat" in w.capabilities]
    context = min(filter(None, read), default=DEFAULT_CONTEXT)
    conversation = job_factory.conversation(interaction, private=private)
    say = words(str(interaction.locale))
    budget = context * 3 // 4  # the rest is for the answer
    loaded = await service.history.load(conversation, budget)
    texts = await describe_history(service.history, conversation, context, loaded, say)
    shown = await load_images(loaded.turns, service.blobs)
    if lines := shown.lines(workers, say):
        texts.insert(-1, "\n".join(lines))
    can_see = any(VISION in worker.capabilities for worker in workers)
    await components_panel.send_panel(
        interaction, texts, pictures=await shown.thumbnails() if can_see else ()
    )


async def describe_history(
    history: History, conversation: str, context: int, loaded: LoadedHistory, say: Words
) -> list[str]:
    """Return the panel's texts on one conversation, for a model that reads `context` tokens."""
    stats = await history.get_stats(conversation)
    summary = (await history.load_since_summary(conversation)).summary
    title = f"## {say('history-title')}"
    if not stats.turns:
        return [title, say("history-none")]
    read = min(_count_read_tokens(loaded) if loaded.summary else stats.tokens, context)
    share = min(round(100 * read / context), 100)
    of_context = say("history-context", {"share": share, "tokens": context})
    facts = [
        say("history-turns", {"turns": stats.turns, "tokens": stats.tokens}),
        f"{format_meter(read / context)}　{of_context}",
    ]
    if stats.oldest_ms:
        since = f"<t:{stats.oldest_ms // 1000}:R>"
        facts.append(say("history-since", {"since": since}))
    if loaded.omitted:
        facts.append(say("history-omitted", {"turns": loaded.omitted}))
    newest = [_format_turn(turn) for turn in loaded.turns[-SHOWN_TURNS:]]
    texts = [title, "\n".join(facts), "\n".join(newest), f"-# {say('history-note')}"]
    if summary:
        texts.insert(2, _format_summary(summary, say))
    return texts


def _count_read_tokens(loaded: LoadedHistory) -> int:
    """Count the tokens of the summary and of the turns that are read word for word."""
    return (loaded.summary.tokens if loaded.summary else 0) + sum(
        map(count_turn_tokens, loaded.turns)
    )


def _format_summary(summary: Summary, say: Words) -> str:
    """Format the model's summary of older turns. The model wrote it, so its markup is escaped."""
    text = summary.text
    cut = f"{text[:SUMMARY_CHARS]}…" if len(text) > SUMMARY_CHARS else text
    quoted = "\n".join(f"> {line}" for line in discord.utils.escape_markdown(cut).splitlines())
    return f"{say('history-summary', {'turns': summary.turns})}\n{quoted}"


def format_meter(share: float) -> str:
    """Return ▰▰▰▱▱▱ for a share of 0 to 1; a share above 0 fills at least one cell."""
    full = min(max(round(share * METER_CELLS), 1 if share > 0 else 0), METER_CELLS)
    return "▰" * full + "▱" * (METER_CELLS - full)


def _format_turn(turn: Turn) -> str:
    """Return the question and the title of the first message or file that was read with it."""
    asked, material = problem_numbers.split_prompt(turn.prompt)
    question = " ".join(asked.split())
    cut = f"{question[:SHOWN_CHARS]}…" if len(question) > SHOWN_CHARS else question
    along = f" ↪ {material.partition(':' + chr(10))[0]}" if material else ""
    return f"> **{turn.user_name}**　{discord.utils.escape_markdown(cut + along)}"


# --- images that the model still sees ------------------------------------------------------------


@dataclass(frozen=True)
class VisibleImages:
    visible: tuple[tuple[Attachment, bytes], ...] = ()  # in the order in which they are numbered
    missing_names: tuple[str, ...] = ()  # names

    def lines(self, workers: Sequence[WorkerStatus], say: Words) -> list[str]:
        """Return lines on what the running models see of the images."""
        able = {name for worker in workers for name in worker.capabilities}
        if not self.visible and not self.missing_names:
            return []
        if VISION not in able:
            return [say("history-pictures-read" if READ in able else "history-pictures-blind")]
        lines = []
        if self.visible:
            names = [f"Image-{n} `{each.name}`" for n, (each, _) in enumerate(self.visible, 1)]
            lines.append(say("history-pictures", {"names": ", ".join(names)}))
        if self.missing_names:
            names = [f"`{name}`" for name in self.missing_names[-MOST_NAMES:]]
            lines.append(say("history-pictures-gone", {"names": ", ".join(names)}))
        return lines

    async def thumbnails(self) -> list[discord.File]:
        images = [data for _, data in self.visible]
        small = await asyncio.to_thread(lambda: list(map(_draw_thumbnail, images)))
        return [
            discord.File(data, f"image-{number}.jpg", description=attachment.name)
            for number, (data, (attachment, _)) in enumerate(
                zip(small, self.visible, strict=True), 1
            )
        ]


async def load_images(turns: Sequence[Turn], blobs: Blobs) -> VisibleImages:
    """Load the images of the turns, oldest first, that the model reads word for word."""
    visible = await load_visible_images(turns, blobs)
    gone = [
        each.name
        for turn in turns
        for each in select_images(turn.attachments)
        if all(each is not shown for shown, _ in visible.get(turn.job, ()))
    ]
    return VisibleImages(tuple(each for found in visible.values() for each in found), tuple(gone))


def _draw_thumbnail(data: bytes) -> io.BytesIO:
    """Scale a picture down. The files' reader wrote it, so that it is safe to decode."""
    out = io.BytesIO()
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG")) as image:
        image.draft("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE))
        small = image.convert("RGB")
    small.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    small.save(out, "JPEG", quality=85)
    out.seek(0)
    return out


# --- my data ------------------------------------------------------------------------------------


@usable_everywhere
@slash_command("export")
async def export(interaction: Interaction) -> None:
    await _count_use(interaction, "export")
    await interaction.response.defer(ephemeral=True)
    service, me = interaction.client.services, str(interaction.user.id)
    turns = await service.history.export(me)
    kept = {
        "user": me,
        "exported_at": int(time.time()),
        "conversations": turns,
        "records": [_without_secrets(job) for job in await JobRecords(service.queue).list_for(me)],
        "recent_questions": await service.recent.list_of(me),
        "feedback": await service.feedback.list_of(me),
        "settings_changed": await service.preferences.changes.list_by(me),
        "steps": await service.traces.list_of(me),
        "articles": await service.articles.list_of(me),
    }
    data = msgspec.json.format(msgspec.json.encode(kept), indent=2)
    say = words(str(interaction.locale))
    count = sum(map(len, turns.values()))
    await interaction.followup.send(
        say("export-done", {"turns": count}),
        file=discord.File(io.BytesIO(data), "commonroom.json"),
        ephemeral=True,
    )


async def _count_use(interaction: Interaction, what: str) -> None:
    """Limit how often one person does this: it reads the records of everybody.

    Raises:
        QuestionRefused: they did it too often.
    """
    rates, me = interaction.client.services.rates, str(interaction.user.id)
    if exceeded := await rates.count_question(what, me, str(interaction.id), EXPORT_LIMITS):
        raise QuestionRefused(notices.too_soon(exceeded))


def _without_secrets(job: Job) -> Job:
    """Return the job without the bot's reply token and the admins' system prompt."""
    return msgspec.structs.replace(job, reply="", system="")


@usable_everywhere
@slash_command("forget")
async def forget(interaction: Interaction) -> None:
    say = words(str(interaction.locale))
    button: discord.ui.Button[Any] = discord.ui.Button(
        label=say("forget-button"),
        style=discord.ButtonStyle.red,
        custom_id=f"forget:{interaction.user.id}",
    )
    row = components_panel.action_row(ForgetButton(button))
    await components_panel.send_panel(
        interaction, [f"## {say('forget-title')}", say("forget-ask")], [row]
    )


class ForgetButton(PersistentItem, template=r"forget:(?P<user>\d+)"):
    """A button that erases the data of the person whom its id names."""


async def handle_forget(interaction: Interaction, button: ForgetButton) -> None:
    if button.fields["user"] != str(interaction.user.id):
        raise QuestionRefused(access.ELSEWHERE)
    await _count_use(interaction, "forget")
    service, me = interaction.client.services, str(interaction.user.id)
    await interaction.response.defer()
    turns = await service.history.erase(me)
    await service.recent.erase(me)
    await service.feedback.erase(me)
    await service.preferences.changes.erase(me)
    await service.answers.erase(me)
    await service.traces.erase(me)
    await service.articles.erase(me)
    await JobRecords(service.queue).erase(me)
    done = Notice("forget-done", Tone.INFO, {"turns": turns})
    say = words(str(interaction.locale))
    view = components_panel.build_panel([f"## {say('forget-title')}", done.text(say)])
    await interaction.edit_original_response(view=view)


ALL: tuple[Command, ...] = (history, export, forget)

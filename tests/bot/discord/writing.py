"""A worker that writes the article it is told to, and what people see of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from jobqueue.article import (
    Article,
    ArticleFigure,
    ArticleStage,
    ImageRequest,
    ImageSlot,
    NoImageReason,
    Section,
)
from jobqueue.schema import ArticleProgress, Attachment, Delta, Finished, FinishReason
from playground.discord.components import displayed_text, walk
from playground.discord.interactions import Interaction
from playground.discord.json_types import Json
from playground.discord.state import StoredMessage
from tests.bot.discord.conftest import Room, holds, until
from tests.bot.discord.solving import Solver
from tests.playground.page_bot import picture

TITLE, OPENING = "Luoyang", "A city of thirteen dynasties."
CAVES = "The grottoes were cut from the fifth century on. " * 6


@dataclass
class Writer(Solver):
    capabilities: tuple[str, ...] = ("chat", "article")
    tools: tuple[str, ...] = field(default=())

    async def picture(self, side: int, caption: str) -> ArticleFigure:
        shown: Attachment = await self.figure(picture(side))
        return ArticleFigure(
            picture=shown,
            caption=caption,
            alt=f"{caption}, seen from the river",
            author="Ada_L",
            licence="CC BY 4.0",
            entry=str(side),
        )

    async def article(self) -> Article:
        caves, bridge = (
            await self.picture(64, "The *great* Buddha"),
            await self.picture(48, "A bridge"),
        )
        peonies = ImageRequest(caption="Peonies in bloom")
        return Article(
            title=TITLE,
            sections=(
                Section(heading="", text=OPENING),
                Section(
                    heading="Caves",
                    text=CAVES,
                    slots=(
                        ImageSlot(
                            need=ImageRequest(caption="Caves"), figure=caves, candidates=(bridge,)
                        ),
                    ),
                ),
                Section(
                    heading="Flowers",
                    text="Peonies bloom in April, so $x^2$ times.",
                    slots=(
                        ImageSlot(need=peonies, why=NoImageReason.NOTHING, detail="1.png: file"),
                    ),
                ),
            ),
        )

    async def deliver(self, article: Article, reason: FinishReason = FinishReason.STOP) -> None:
        await self.end(Finished(text=article.markdown(), article=article, reason=reason))


def seen(message: StoredMessage) -> str:
    """All that can be read in a message, plain or made of components."""
    cards = [embed.get("description", "") for embed in message.data["embeds"]]
    parts = [message.data["content"], displayed_text(message.data["components"]), *cards]
    return "\n".join(filter(None, parts))


def controls(message: StoredMessage) -> list[Json]:
    return [part for part in walk(message.data["components"]) if part.get("custom_id")]


def names(message: StoredMessage) -> list[str]:
    """Of its buttons and menus."""
    return [c.get("label") or c.get("placeholder") or c["emoji"]["name"] for c in controls(message)]


def galleries(message: StoredMessage) -> Iterator[Json]:
    return (part for part in walk(message.data["components"]) if part["type"] == 12)


async def shows(room: Room, *parts: str, viewer: str = "ada", without: str = "\0") -> StoredMessage:
    """The bot's message that says all this."""

    def look() -> StoredMessage | None:
        for message in room.bot_says(viewer):
            text = seen(message)
            if all(part in text for part in parts) and without not in text:
                return message
        return None

    return await until(look)


async def written(room: Room, writer: Writer, article: Article, **options: object) -> StoredMessage:
    """The last message of a finished article, its buttons at work."""
    await writer.announce()
    await room.world.slash("ada", "general", "article", {"topic": TITLE, **options})
    await writer.take()
    await writer.say(
        ArticleProgress(stage=ArticleStage.PLANNING), Delta(text=f"# {TITLE}\n\n{OPENING}")
    )
    await writer.deliver(article)
    await delivered(room, writer)
    return await until(lambda: next((m for m in room.bot_says() if "Edit" in names(m)), None))


async def delivered(room: Room, writer: Writer) -> None:
    """Returns once all answers are on record."""

    async def on_record() -> bool:
        return not await writer.queue.list_undelivered(room.settings.reader)

    await holds(on_record)


async def press(
    room: Room, message: StoredMessage, do: str, *values: str, user: str = "ada"
) -> Interaction:
    """The control that does this, as soon as it is there."""

    def find() -> str | None:
        ids = [control["custom_id"] for control in controls(message)]
        return next((each for each in ids if each.startswith(f"article:{do}:")), None)

    wanted = await until(find)
    interaction = await room.world.click(user, room.channel, message.id, wanted, values)
    assert await interaction.wait_acknowledged()
    return interaction

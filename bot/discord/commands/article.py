"""`/article`: write an illustrated article on a topic, by an instruction or from a text."""

from discord import app_commands

from bot.discord.ask import ask_flow, message_text
from bot.discord.ask.job_factory import AskOptions
from bot.discord.commands.chat import File, Prompt
from bot.discord.commands.command_decorators import (
    Command,
    command_text,
    described_options,
    slash_command,
    usable_everywhere,
)
from bot.discord.host import Interaction
from jobqueue.article import MAX_ARTICLE_IMAGES, ArticleLength, ArticleOrder
from jobqueue.schema import ARTICLE

LARGEST_SEED = 2**31 - 1
# Each language has its own name in every locale.
LANGUAGES = {
    "en-US": "English",
    "zh-CN": "简体中文",
    "de": "Deutsch",
    "es-ES": "Español",
    "fr": "Français",
    "ja": "日本語",
}


@usable_everywhere
@slash_command("article")
@described_options(
    topic="option-topic-about",
    pictures="option-pictures-about",
    length="option-length-about",
    language="option-language-about",
    seed="option-seed-about",
    file="option-file-source",
    file2="option-file-more",
    file3="option-file-more",
    private="option-private-about",
)
@app_commands.choices(
    length=[
        app_commands.Choice(name=command_text("length-short"), value=ArticleLength.SHORT),
        app_commands.Choice(name=command_text("length-medium"), value=ArticleLength.MEDIUM),
        app_commands.Choice(name=command_text("length-long"), value=ArticleLength.LONG),
    ],
    language=[app_commands.Choice(name=name, value=at) for at, name in LANGUAGES.items()],
)
async def article(  # noqa: PLR0917 — Discord passes them by name
    interaction: Interaction,
    topic: Prompt,
    pictures: app_commands.Range[int, 0, MAX_ARTICLE_IMAGES] | None = None,
    length: str = ArticleLength.MEDIUM,
    language: str = "",
    seed: app_commands.Range[int, 0, LARGEST_SEED] | None = None,
    file: File = None,
    file2: File = None,
    file3: File = None,
    private: bool = False,
) -> None:
    order = ArticleOrder(pictures=pictures, length=ArticleLength(length), language=language)
    options = AskOptions(private=private, quoted=False, capability=ARTICLE, order=order, seed=seed)
    files = message_text.describe_attachments(each for each in (file, file2, file3) if each)
    await ask_flow.ask(interaction, topic, files, options)
    if not private:
        await ask_flow.remember(interaction, topic)


ALL: tuple[Command, ...] = (article,)

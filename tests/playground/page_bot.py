"""A small bot that does what the page must be able to show, over real discord.py."""

import asyncio
import io
import struct
import zlib

import discord
from discord import app_commands

INERT = "<img src=x onerror=\"window.hacked='text'\"><script>window.hacked='script'</script>"


def picture(side: int = 96) -> bytes:
    """A PNG with two colours running into each other."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    rows = b"".join(
        b"\0" + b"".join(bytes((120 + x, 90, 250 - y)) for x in range(side)) for y in range(side)
    )
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    packed = zlib.compress(rows)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", packed), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


class PageBot(discord.Client):
    """`step` is awaited between two edits of a streamed answer, so that a test sets the pace."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents.all(), guild_ready_timeout=0.1)
        self.tree = app_commands.CommandTree(self)
        self.step = asyncio.Event()
        self.manual = False
        add_commands(self)

    async def setup_hook(self) -> None:
        # Registered beforehand: discord.py knows a message's own view only once the edit that
        # brought it has returned, which a full rate limit delays by seconds.
        self.add_view(Again())
        await self.tree.sync()

    async def next_step(self) -> None:
        if self.manual:
            await self.step.wait()
            self.step.clear()
        else:
            await asyncio.sleep(0.4)

    async def on_message(self, message: discord.Message) -> None:
        if self.user in message.mentions and not message.author.bot:
            names = ", ".join(a.filename for a in message.attachments)
            await message.reply(f"You said: {message.clean_content} {names}".strip())


class Again(discord.ui.View):
    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Again", custom_id="again", style=discord.ButtonStyle.primary)
    async def again(
        self, interaction: discord.Interaction, _button: "discord.ui.Button[Again]"
    ) -> None:
        await interaction.response.edit_message(content="Pressed **again**")

    @discord.ui.button(label="Silent", custom_id="silent", style=discord.ButtonStyle.danger)
    async def silent(
        self, _interaction: discord.Interaction, _button: "discord.ui.Button[Again]"
    ) -> None:
        """Never answers."""

    @discord.ui.select(
        placeholder="Pick a fruit",
        custom_id="fruit",
        options=[
            discord.SelectOption(label="Apple", description="Crisp"),
            discord.SelectOption(label="Pear"),
        ],
    )
    async def fruit(
        self, interaction: discord.Interaction, select: "discord.ui.Select[Again]"
    ) -> None:
        await interaction.response.send_message(f"You picked {select.values[0]}")


class Form(discord.ui.Modal, title="About you"):
    name = discord.ui.TextInput["Form"](label="Name", placeholder="Ada")
    story = discord.ui.TextInput["Form"](
        label="Story", style=discord.TextStyle.paragraph, required=False
    )

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"Hello {self.name.value}. {self.story.value}")


class Layout(discord.ui.LayoutView):
    def __init__(self) -> None:
        super().__init__(timeout=None)
        thumbnail = discord.ui.Thumbnail["Layout"]("attachment://dot.png")
        button = discord.ui.Button["Layout"](label="Inside", style=discord.ButtonStyle.success)
        self.add_item(
            discord.ui.Container(
                discord.ui.Section("## A layout", "with a *section*", accessory=thumbnail),
                discord.ui.Separator(spacing=discord.SeparatorSpacing.large),
                discord.ui.MediaGallery(discord.MediaGalleryItem("attachment://dot.png")),
                discord.ui.File("attachment://notes.txt"),
                discord.ui.ActionRow(button),
                accent_colour=0xD9845B,
            )
        )


ANSWER = [
    "Recursion is a function that calls **itself** on a smaller problem:",
    "\n```python\ndef factorial(n: int) -> int:\n    if n < 2:",
    "\n        return 1  # the base case\n    return n * factorial(n - 1)\n```",
    "\n- the *base case* ends it\n- every call comes nearer\n\n> Each call waits for the next.",
]


def add_commands(bot: PageBot) -> None:
    add_chat(bot)
    add_words(bot.tree)
    add_pictures(bot.tree)


def add_chat(bot: PageBot) -> None:
    tree = bot.tree

    @tree.command(description="Ask the community's model")
    @app_commands.describe(
        prompt="What you want to know", style="How it sounds", image="Something to look at"
    )
    @app_commands.choices(
        style=[app_commands.Choice(name=n, value=n.lower()) for n in ("Friendly", "Precise")]
    )
    async def chat(
        interaction: discord.Interaction,
        prompt: str,
        style: str = "",
        image: discord.Attachment | None = None,
    ) -> None:
        await interaction.response.defer()
        await bot.next_step()
        text = f"**{prompt}** {style} {f'{image.filename} {image.size} bytes' if image else ''}\n"
        for part in ANSWER:
            text += part
            closed = text if text.count("```") % 2 == 0 else f"{text}\n```"
            await interaction.edit_original_response(content=closed)
            await bot.next_step()
        await interaction.edit_original_response(content=text, view=Again())


def add_words(tree: "app_commands.CommandTree[PageBot]") -> None:
    @tree.command(description="Something for your eyes only")
    async def whisper(interaction: discord.Interaction, text: str) -> None:
        await interaction.response.send_message(f"psst: {text}", ephemeral=True)

    @tree.command(description="Buttons and a menu")
    async def buttons(interaction: discord.Interaction) -> None:
        await interaction.response.send_message("Press one", view=Again())

    @tree.command(description="Which language the person reads")
    async def locale(interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"You read {interaction.locale.value}")

    @tree.command(description="Open a form")
    async def form(interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Form())

    @tree.command(description="Never answers")
    async def mute(interaction: discord.Interaction) -> None:
        """Three seconds pass."""

    @tree.command(description="Pick a city")
    async def city(interaction: discord.Interaction, name: str, days: int = 1) -> None:
        await interaction.response.send_message(f"{days} days in {name}")

    @city.autocomplete("name")
    async def _cities(_: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        cities = ("Berlin", "Bern", "Luoyang", "Lisbon")
        found = [c for c in cities if typed.lower() in c.lower()]
        return [app_commands.Choice(name=c, value=c) for c in found]

    @tree.command(description="Start a thread")
    async def thread(interaction: discord.Interaction, name: str) -> None:
        await interaction.response.send_message("Here we go")
        message = await interaction.original_response()
        made = await message.create_thread(name=name)
        await made.send("First words")

    @tree.context_menu(name="Count words")
    async def count(interaction: discord.Interaction, message: discord.Message) -> None:
        words = len(message.content.split())
        await interaction.response.send_message(f"{words} words", ephemeral=True)


def add_pictures(tree: "app_commands.CommandTree[PageBot]") -> None:
    @tree.command(description="An embed")
    async def card(interaction: discord.Interaction, text: str = "Two things to know") -> None:
        embed = discord.Embed(title=text, description=f"**Body** {text}", colour=0xD9845B)
        embed.add_field(name=text[:200], value="one", inline=True).add_field(
            name="Second", value=text[:200], inline=True
        )
        embed.set_footer(text="Commonroom").set_author(name=text[:200])
        await interaction.response.send_message(embed=embed)

    @tree.command(description="Components V2")
    async def layout(interaction: discord.Interaction) -> None:
        files = [
            discord.File(io.BytesIO(picture()), "dot.png"),
            discord.File(io.BytesIO(b"notes"), "notes.txt"),
        ]
        await interaction.response.send_message(view=Layout(), files=files)

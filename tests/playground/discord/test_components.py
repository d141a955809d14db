"""Buttons, menus, modals and Components V2, as discord.py makes and receives them."""

import io
import re
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import discord
import pytest

from playground.discord import components
from playground.discord.json_types import File, Json, UserError
from playground.discord.server import LocalDiscord
from playground.discord.user_actions import UserActions
from tests.playground.rest_client import RestClient
from tests.playground.seeing import watching
from tests.playground.small_bot import Interaction, SmallBot, running


class Lasting(discord.ui.DynamicItem[discord.ui.Button[Any]], template=r"count:(?P<n>\d+)"):
    """A button that a restarted bot still knows."""

    def __init__(self, n: int) -> None:
        super().__init__(discord.ui.Button(label=f"Count {n}", custom_id=f"count:{n}"))
        self.n = n

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: Any, match: re.Match[str], /
    ) -> "Lasting":
        return cls(int(match["n"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        view = discord.ui.View(timeout=None)
        view.add_item(Lasting(self.n + 1))
        await interaction.response.edit_message(content=f"{self.n + 1}", view=view)


def counting_bot() -> SmallBot:
    bot = SmallBot()
    bot.add_dynamic_items(Lasting)

    @bot.tree.command(description="Count")
    async def count(interaction: Interaction) -> None:
        view = discord.ui.View(timeout=None)
        view.add_item(Lasting(0))
        view.add_item(discord.ui.Button(label="Off", custom_id="off", disabled=True))
        await interaction.response.send_message("0", view=view)

    return bot


async def test_button_works_after_a_restart_of_the_bot(
    local_discord: LocalDiscord, world: UserActions
) -> None:
    with watching(world) as watch:
        async with running(counting_bot(), local_discord):
            await world.slash("ada", "general", "count")
            shown = await watch.content("0")
            with pytest.raises(UserError, match="disabled"):
                await world.click("bob", "general", shown.data["id"], "Off")
        async with running(counting_bot(), local_discord):
            clicked = await world.click("bob", "general", shown.data["id"], "Count 0")
            edited = await watch.content("1")
    assert (edited.message_change, edited.data["id"]) == ("edit", shown.data["id"])
    assert edited.responds_to == clicked.id
    with pytest.raises(UserError, match="offers Count 1"):
        await world.click("bob", "general", shown.data["id"], "Count 0")


class Form(discord.ui.Modal, title="About you"):
    name: discord.ui.Label[Any] = discord.ui.Label(
        text="Name", component=discord.ui.TextInput(custom_id="name", min_length=2)
    )
    file: discord.ui.Label[Any] = discord.ui.Label(
        text="File", component=discord.ui.FileUpload(custom_id="file", required=False)
    )

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        assert isinstance(self.name.component, discord.ui.TextInput)
        assert isinstance(self.file.component, discord.ui.FileUpload)
        files = [await a.read() for a in self.file.component.values]
        await interaction.response.send_message(f"{self.name.component.value} {files}")


async def test_modal_with_a_file(local_discord: LocalDiscord, world: UserActions) -> None:
    bot = SmallBot()

    @bot.tree.command(description="Form")
    async def form(interaction: Interaction) -> None:
        await interaction.response.send_modal(Form())

    async with running(bot, local_discord):
        with watching(world) as watch:
            opened = await world.slash("ada", "general", "form")
            modal = await watch.event("INTERACTION_MODAL_CREATE")
            assert (modal.data["title"], modal.visible_to) == ("About you", world.user("ada")["id"])
            with pytest.raises(UserError, match="length"):
                await world.submit_modal(opened, {"name": "A"})
            await world.submit_modal(opened, {"name": "Ada", "file": [File("a.txt", b"x")]})
            assert (await watch.content("Ada [b'x']")).message_change == "create"


async def test_components_v2(local_discord: LocalDiscord, world: UserActions) -> None:
    bot = SmallBot()

    @bot.tree.command(description="Layout")
    async def layout(interaction: Interaction) -> None:
        view = discord.ui.LayoutView(timeout=None)
        view.add_item(discord.ui.Container(discord.ui.TextDisplay("Look")))
        view.add_item(discord.ui.File("attachment://a.txt"))
        file = discord.File(io.BytesIO(b"text"), filename="a.txt")
        await interaction.response.send_message(view=view, file=file)
        with pytest.raises(discord.HTTPException) as refused:
            await interaction.edit_original_response(content="plain", view=None)
        await interaction.followup.send(f"{refused.value.code}")

    async with running(bot, local_discord):
        with watching(world) as watch:
            await world.slash("ada", "general", "layout")
            shown = await watch.event("MESSAGE_CREATE")
            assert (await watch.content("50035")).message_change == "create"
    file = shown.data["components"][1]["file"]
    assert shown.data["attachments"] == []  # a component shows it
    assert PurePosixPath(urlsplit(file["url"]).path).name == "a.txt"
    assert shown.data["flags"] & 1 << 15


TEXT = {"type": components.TEXT_DISPLAY, "content": "Look"}


@pytest.mark.parametrize(
    ("component", "code"),
    [
        ({"type": components.BUTTON, "custom_id": "x", "style": 1}, "UNION_TYPE_CHOICES"),
        ({"type": components.TEXT_DISPLAY, "content": ""}, "BASE_TYPE_REQUIRED"),
        ({"type": components.MEDIA_GALLERY, "items": []}, "BASE_TYPE_BAD_LENGTH"),
        (
            {"type": components.CONTAINER, "components": [{"type": 17, "components": [TEXT]}]},
            "UNION_TYPE_CHOICES",
        ),
        (
            {"type": components.CONTAINER, "components": [TEXT] * 40},
            "BASE_TYPE_BAD_LENGTH",
        ),
        (
            {"type": components.TEXT_DISPLAY, "content": "a" * 4_001},
            "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
        ),
    ],
)
async def test_what_discord_refuses_of_components(
    component: Json, code: str, rest: RestClient
) -> None:
    refused = await rest.post({"flags": 1 << 15, "components": [TEXT, component]})
    assert (refused.status, refused.code) == (400, 50035)
    assert code in str(refused.body["errors"])

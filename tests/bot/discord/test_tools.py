"""Which tools the model may call in a channel, and who decides that."""

from jobqueue.schema import Finished
from playground.discord.components import walk
from playground.discord.json_types import Json
from playground.discord.state import StoredMessage
from playground.discord.user_actions import UserActions
from tests.bot.discord.conftest import Room, until
from tests.bot.discord.solving import Solver

TOOLS = ("calculate", "python", "weather")


def parts(message: StoredMessage) -> list[Json]:
    return list(walk(message.data["components"]))


async def panel(room: Room, part: str, viewer: str = "ada") -> StoredMessage:
    def look() -> StoredMessage | None:
        for message in room.bot_says(viewer):
            if any(part in str(each.get("content", "")) for each in parts(message)):
                return message
        return None

    return await until(look)


async def test_an_admin_chooses_tools_and_jobs_name_them(
    silent_room: Room, world: UserActions
) -> None:
    room, solver = silent_room, Solver(silent_room.redis, tools=TOOLS)
    world.make_admin("ada")
    async with room.bot():
        await solver.announce()
        await world.slash("ada", "general", "tools")
        page = await panel(room, "○ **Python**　Runs a program in a sandbox")
        await panel(room, "○ **`weather`**")
        (menu,) = [part for part in parts(page) if part["type"] == 3]
        assert [option["value"] for option in menu["options"]] == list(TOOLS)
    async with room.bot():
        chosen = ["python", "weather"]
        await solver.announce()
        click = await world.click("ada", "general", page.id, menu["custom_id"], chosen)
        assert await click.wait_acknowledged()
        await panel(room, "● **`weather`**")
        await panel(room, "In this channel /chat may call the tools with ●")
        for command, option in (("chat", "prompt"), ("solve", "problem")):
            await solver.announce()
            await world.slash("bob", "general", command, {option: "2 + 2"})
            assert (await solver.take()).job.tools == ("python", "weather")
            await solver.end(Finished(text="4"))
        await solver.announce()
        click = await world.click("ada", "general", page.id, menu["custom_id"], [])
        await panel(room, "Nobody chose tools here")
        (ask,) = [part for part in parts(page) if part["type"] == 2]
        assert ask["label"] == "Ask before each call"
        await solver.announce()
        await world.click("ada", "general", page.id, ask["custom_id"])
        await panel(room, "the person who asked decides")
        await solver.announce()
        await world.slash("bob", "general", "solve", {"problem": "2 + 2"})
        assert (await solver.take()).job.approval
        await solver.end(Finished(text="4"))


async def test_others_see_them_and_choose_nothing(silent_room: Room, world: UserActions) -> None:
    room, solver = silent_room, Solver(silent_room.redis, tools=TOOLS)
    async with room.bot():
        await world.slash("bob", "general", "tools", locale="zh-CN")
        await panel(room, "没有工具", "bob")
        await solver.announce()
        await world.slash("bob", "general", "tools")
        page = await panel(room, "○ **`calculate`**　Works out an expression", "bob")
        assert not [part for part in parts(page) if part["type"] == 3]

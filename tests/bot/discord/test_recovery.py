"""What goes wrong on the way, and the one answer that comes nevertheless."""

import pytest

from bot.discord.delivery import answer_manager
from bot.discord.delivery.reply_target import decode_note
from jobqueue.queue import JobQueue
from playground.discord.fault_injection import Fault
from playground.discord.permissions import Permission
from playground.discord.user_actions import UserActions
from tests.bot.discord.conftest import Room, holds, scripted, until

SLOW = "!tokens 120 !delay 25ms"


async def _nothing_undelivered(room: Room) -> None:
    queue = JobQueue(room.redis)

    async def all_delivered() -> bool:
        return not await queue.list_undelivered("bot-0")

    await holds(all_delivered)


@pytest.mark.parametrize("ask", ["slash", "mention"])
async def test_a_killed_bot_completes_the_same_message(
    silent_room: Room, world: UserActions, ask: str
) -> None:
    async with silent_room.worker():
        async with silent_room.bot_process() as first:
            await silent_room.bot_online()
            if ask == "slash":
                await world.slash("ada", "general", "chat", {"prompt": SLOW})
            else:
                await world.say("ada", "general", f"@commonroom {SLOW}")
            begun = await silent_room.streaming()
            first.kill()
            await first.wait()
        async with silent_room.bot_process():
            await silent_room.whole(scripted(SLOW))
            await _nothing_undelivered(silent_room)
    assert [message.id for message in silent_room.bot_says()] == [begun.id]


async def test_an_answer_made_while_the_bot_was_down_is_shown(
    silent_room: Room, world: UserActions
) -> None:
    async with silent_room.bot_process() as first:
        await silent_room.bot_online()
        await world.slash("ada", "general", "chat", {"prompt": "hello"})
        await until(silent_room.bot_says)
        await holds(lambda: JobQueue(silent_room.redis).list_undelivered("bot-0"))
        first.kill()
        await first.wait()
    async with silent_room.worker(), silent_room.bot_process():
        await silent_room.answer("[turn 1] hello")
    assert len(silent_room.bot_says()) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(route="PATCH *", status=429, times=3),
        Fault(route="PATCH *", status=500, times=2),
        Fault(route="PATCH *", kind="cut", times=3),
        Fault(route="PATCH *", kind="cut", times=3, after=True),
    ],
    ids=["429", "500", "cut before", "cut after"],
)
async def test_edits_that_fail_for_a_while_lose_nothing(
    room: Room, world: UserActions, fault: Fault
) -> None:
    room.discord.backend.faults.add(fault)
    await world.slash("ada", "general", "chat", {"prompt": SLOW})
    await room.whole(scripted(SLOW))
    assert fault.hits == fault.times
    assert len(room.bot_says()) == 1


@pytest.mark.parametrize("after", [False, True])
async def test_a_send_whose_answer_is_lost_is_one_message(
    room: Room, world: UserActions, after: bool
) -> None:
    fault = Fault(route="POST /channels/*/messages", kind="cut", times=2, after=after)
    room.discord.backend.faults.add(fault)
    await world.say("ada", "general", "@commonroom hello")
    await room.answer("[turn 1] hello")
    assert fault.hits == fault.times
    assert len(room.bot_says()) == 1


async def test_an_edit_that_fails_for_good_becomes_a_new_message(
    room: Room, world: UserActions
) -> None:
    await world.slash("ada", "general", "chat", {"prompt": SLOW})
    begun = await room.streaming()
    world.set_permissions("general", "ada", allow=Permission.MANAGE_MESSAGES)
    await world.delete_message("ada", "general", begun.id)
    await room.whole(scripted(SLOW))
    (answered,) = room.bot_says()
    assert answered.id != begun.id


async def test_an_answer_nobody_can_see_frees_the_gpu(room: Room, world: UserActions) -> None:
    world.set_permissions("general", "@everyone", deny=Permission.SEND_MESSAGES)
    asked = await world.slash("ada", "general", "chat", {"prompt": "!tokens 2000 !delay 25ms"})
    await room.streaming()
    room.discord.backend.faults.add(Fault(route="*/webhooks/*", status=404, times=None))
    room.discord.backend.faults.add(Fault(route="*/messages*", status=403, times=None))
    await _nothing_undelivered(room)
    queue = JobQueue(room.redis)

    async def stopped() -> bool:
        return (await queue.get_status(asked.id)).state.is_terminal

    await holds(stopped)


async def test_the_answer_goes_on_when_the_token_is_over(
    room: Room, world: UserActions, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.slash("ada", "general", "chat", {"prompt": SLOW})
    begun = await room.streaming()
    monkeypatch.setattr("bot.discord.delivery.reply_target.TOKEN_LIFE_S", 0)
    edits = Fault(kind="latency", route="PATCH /channels/*", seconds=0, times=None)
    room.discord.backend.faults.add(edits)
    await room.whole(scripted(SLOW))
    assert edits.hits > 0
    assert [message.id for message in room.bot_says()] == [begun.id]


async def test_a_bot_that_may_not_write_answers_by_the_token(
    room: Room, world: UserActions
) -> None:
    world.set_permissions("general", world.state.bot["id"], deny=Permission.SEND_MESSAGES)
    await world.slash("ada", "general", "chat", {"prompt": "!tokens 900"})
    await room.whole(scripted("!tokens 900"))
    assert len(room.bot_says()) >= 4


async def test_a_cut_gateway_misses_no_mention(room: Room, world: UserActions) -> None:
    await room.discord.backend.gateway.disconnect(code=4000)
    await world.say("ada", "general", "@commonroom while you were away")
    await room.answer("[turn 1] while you were away")
    assert len(room.bot_says()) == 1


async def test_the_ledger_knows_the_messages_while_they_grow(
    room: Room, world: UserActions
) -> None:
    await world.slash("ada", "general", "chat", {"prompt": SLOW})
    begun = await room.streaming()
    queue = JobQueue(room.redis)

    async def noted() -> bool:
        ((_, note),) = await queue.list_undelivered("bot-0")
        return bool(note) and decode_note(note).messages == (begun.id,)

    await holds(noted)
    await room.whole(scripted(SLOW))
    await _nothing_undelivered(room)


async def test_one_answer_that_breaks_leaves_the_others_alone(
    room: Room, world: UserActions, monkeypatch: pytest.MonkeyPatch
) -> None:
    await world.slash("ada", "general", "chat", {"prompt": SLOW})
    await room.streaming()
    monkeypatch.setattr(answer_manager, "follow_answer", _broken)
    await world.slash("bob", "general", "chat", {"prompt": "hello"})
    await room.notice("An error occurred")
    await room.answer(scripted(SLOW))


async def _broken(*_: object, **__: object) -> None:
    raise ExceptionGroup("as a task group raises it", [RuntimeError("broken on purpose")])

"""Questions that cannot be answered, and who may stop one that is: each gets one clear word."""

import re
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from bot.discord.delivery import reply_target
from bot.discord.delivery.reply_target import MessageTarget
from bot.pending_questions import Asker, PendingQuestions, Question
from bot.preferences import SERVER, Preferences, PreferenceStore
from inference.engines.base import Chunk, Request
from inference.engines.scripted import ScriptedEngine
from jobqueue.job_records import JobRecords
from jobqueue.queue import JobQueue
from jobqueue.schema import Job, WorkerStatus, encode
from playground.discord.permissions import Permission
from playground.discord.user_actions import UserActions
from tests.bot.discord.conftest import Room, buttons, growing, said, until

LONG = "!tokens 3000 !delay 20ms"


async def test_an_empty_mention_is_told_so(room: Room, world: UserActions) -> None:
    asked = await world.say("ada", "general", "@commonroom")
    told = await room.notice("nothing to answer")
    assert told.responds_to == asked.id


async def test_a_blank_prompt_is_told_to_its_writer_alone(room: Room, world: UserActions) -> None:
    await world.slash("ada", "general", "chat", {"prompt": "\u200b"})
    await room.notice("nothing to answer")
    assert room.bot_says("bob") == []


async def test_a_reply_that_cannot_be_read_is_told_so(room: Room, world: UserActions) -> None:
    await world.slash("ada", "general", "chat", {"prompt": "one"})
    first = await room.answer("[turn 1] one")
    await world.reply("ada", "general", first.id, "two", ping=False)
    await room.notice("cannot read")


async def test_one_person_cannot_fill_the_queue(silent_room: Room, world: UserActions) -> None:
    async with silent_room.bot():
        limit = JobQueue(silent_room.redis).policy.limits.per_user
        for number in range(limit):
            await world.slash("ada", "general", "chat", {"prompt": f"q{number}"})
        await until(lambda: len(silent_room.bot_says()) == limit)
        await world.slash("ada", "general", "chat", {"prompt": "one more"})
        told = await silent_room.notice(f"You have {limit} open questions")
        assert told.visible_to == world.user("ada")["id"]


async def test_a_question_without_a_worker_is_kept_and_says_so(
    silent_room: Room, world: UserActions
) -> None:
    async with silent_room.bot():
        await world.slash("ada", "general", "chat", {"prompt": "hello"})
        told = await silent_room.notice("No model is running")
        async with silent_room.worker():
            assert (await silent_room.answer("[turn 1] hello")).id == told.id
    assert told.data["embeds"] == []


async def test_a_loading_model_is_told_with_its_progress(
    silent_room: Room, world: UserActions
) -> None:
    status = WorkerStatus(
        worker="w9",
        phase="loading",
        engine="scripted",
        model="scripted",
        capabilities=("chat",),
        slots=1,
        progress=0.42,
    )
    await JobQueue(silent_room.redis).announce(status)
    async with silent_room.bot():
        await world.say("ada", "general", "@commonroom hello")
        await silent_room.notice("loading (42")


@pytest.mark.parametrize(("prompt", "words"), [("!refuse", "could not accept"), ("!fail", "times")])
async def test_what_the_engine_cannot_do_is_told(
    room: Room, world: UserActions, prompt: str, words: str
) -> None:
    await world.slash("ada", "general", "chat", {"prompt": prompt})
    told = await room.notice(words)
    assert bool(told.data["components"]) == (prompt == "!fail")


class Broken(ScriptedEngine):
    def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        *before, question = request.messages
        failing = replace(question, content=f"{question.content} !fail")
        return super().generate(replace(request, messages=(*before, failing)))


async def test_what_failed_is_asked_once_more_by_a_button(
    silent_room: Room, world: UserActions
) -> None:
    async with silent_room.bot():
        async with silent_room.worker(Broken()):
            options = {"prompt": "hello", "private": True}
            await world.slash("ada", "general", "chat", options)
            failed = await silent_room.notice("several times")
        [again] = buttons(failed)
        assert again["label"] == "Try again"
        async with silent_room.worker():
            await world.click("ada", "general", failed.id, "Try again")
            answer = await silent_room.answer("[turn 1] hello")
        assert answer.id != failed.id
        assert answer.visible_to == world.user("ada")["id"]
        assert answer.data["content"].startswith("> hello\n")


async def test_asked_once_more_it_is_for_a_model_that_is_there_and_once(
    silent_room: Room, world: UserActions
) -> None:
    queue = JobQueue(silent_room.redis)
    async with silent_room.bot():
        async with silent_room.worker(Broken()):
            await world.slash("ada", "general", "chat", {"prompt": "hello"})
            failed = await silent_room.notice("several times")
        name = buttons(failed)[0]["custom_id"].rpartition(":")[2]
        gone = msgspec.structs.replace(await queue.get_job(name), capability="chat@gone")
        await silent_room.redis.hset(queue.scripts.key("job", name), "body", encode(gone))
        for _ in range(2):
            await world.click("ada", "general", failed.id, "Try again")
        await silent_room.notice("writing an answer here")
        async with silent_room.worker():
            await silent_room.answer("[turn 1] hello")
        _, *answers = map(said, silent_room.bot_says("bob"))
        assert answers == ["[turn 1] hello"]


async def test_nobody_asks_anothers_question_again(silent_room: Room, world: UserActions) -> None:
    async with silent_room.bot(), silent_room.worker(Broken()):
        await world.say("ada", "general", "@commonroom hello")
        failed = await silent_room.notice("several times")
        await world.click("bob", "general", failed.id, "Try again")
        await silent_room.notice("Only the person who asked", viewer="bob")
        job = buttons(failed)[0]["custom_id"].rpartition(":")[2]
        await silent_room.redis.delete(JobQueue(silent_room.redis).scripts.key("job", job))
        await world.click("ada", "general", failed.id, "Try again")
        await silent_room.notice("no longer stored")


async def test_a_prompt_over_the_services_limit(silent_room: Room, world: UserActions) -> None:
    short = msgspec.structs.replace(silent_room.settings, commonroom_max_prompt_chars=10)
    async with silent_room.bot(short):
        await world.slash("ada", "general", "chat", {"prompt": "x" * 11})
        await silent_room.notice("11 characters, and the limit is 10")
        await silent_room.notice("shorten it by one character")
        await world.slash("ada", "general", "chat", {"prompt": "x" * 17})
        await silent_room.notice("shorten it by 7 characters")


async def test_redis_away_is_told_to_the_one_who_asks(
    silent_room: Room, world: UserActions
) -> None:
    nowhere = msgspec.structs.replace(silent_room.settings, redis_url="unix:///nonexistent.sock")
    async with silent_room.bot(nowhere):
        await world.slash("ada", "general", "chat", {"prompt": "hello"})
        told = await silent_room.notice("cannot be reached")
        assert told.visible_to == world.user("ada")["id"]


# --- stopping -----------------------------------------------------------------------------------


async def test_stop_keeps_what_was_written(room: Room, world: UserActions) -> None:
    await world.slash("ada", "general", "chat", {"prompt": LONG})
    begun = await room.streaming()
    await world.click("ada", "general", begun.id, "Stop")
    await until(lambda: not growing(room.bot_says()[-1]))
    (stopped,) = room.bot_says()
    assert said(stopped).startswith("[tur")  # of "[turn 1]", as far as it came
    assert stopped.data["content"].endswith("\n-# Stopped.")
    assert stopped.data["embeds"] == []


async def test_a_stop_button_works_after_a_restart(silent_room: Room, world: UserActions) -> None:
    async with silent_room.worker():
        async with silent_room.bot():
            await world.slash("ada", "general", "chat", {"prompt": LONG})
            begun = await silent_room.streaming()
        async with silent_room.bot():
            await world.click("ada", "general", begun.id, "Stop")
            await until(lambda: silent_room.bot_says()[-1].data["content"].endswith("-# Stopped."))


async def test_only_the_asker_or_a_moderator_stops(room: Room, world: UserActions) -> None:
    await world.slash("ada", "general", "chat", {"prompt": LONG})
    begun = await room.streaming()
    await world.click("bob", "general", begun.id, "Stop")
    told = await room.notice("Only the person who asked", viewer="bob")
    assert told.visible_to == world.user("bob")["id"]
    assert (await room.streaming()).id == begun.id
    world.set_permissions("general", "bob", allow=Permission.MANAGE_MESSAGES)
    await world.click("bob", "general", begun.id, "Stop")
    await until(lambda: room.bot_says()[-1].data["content"].endswith("-# Stopped."))


async def test_the_stop_command_stops_ones_own(room: Room, world: UserActions) -> None:
    await world.slash("ada", "general", "chat", {"prompt": LONG})
    begun = await room.streaming()
    await world.slash("bob", "general", "stop")
    await room.notice("no answer to stop", viewer="bob")
    await world.slash("ada", "general", "stop")
    await room.notice("being stopped")
    await until(lambda: begun.data["content"].endswith("-# Stopped."))


async def test_a_question_stopped_in_line(silent_room: Room, world: UserActions) -> None:
    async with silent_room.bot():
        await world.slash("ada", "general", "chat", {"prompt": "hello"})
        card = await silent_room.notice("No model is running")
        await world.click("ada", "general", card.id, "Stop")
        assert (await silent_room.notice("stopped before")).id == card.id
        assert card.data["components"] == []


# --- what Discord is told -----------------------------------------------------------------------


async def test_commands_are_told_once(silent_room: Room, world: UserActions) -> None:
    def known() -> dict[str, str]:
        commands = silent_room.discord.backend.commands.list_usable(None)
        return {command["name"]: command["version"] for command in commands}

    async with silent_room.bot():
        before = known()
        assert {"chat", "help", "reset", "stop"} <= set(before)
    async with silent_room.bot():
        assert known() == before


async def test_commands_have_chinese_names(silent_room: Room) -> None:
    async with silent_room.bot():
        chat = next(
            c for c in silent_room.discord.backend.commands.list_usable(None) if c["name"] == "chat"
        )
    assert chat["name_localizations"] == {"zh-CN": "聊天"}
    assert chat["options"][0]["name_localizations"] == {"zh-CN": "问题"}


# --- one admission, whichever way a question came -----------------------------------------------


async def test_quick_messages_are_each_counted_and_answered_as_the_admins_want(
    silent_room: Room, world: UserActions
) -> None:
    """They are too long for one question, so that they become several."""
    guild = str(world.channel("general")["guild_id"])
    store = PreferenceStore(silent_room.redis, Preferences())
    await store.change(
        guild, SERVER, persona="Only of gardens.", per_minute=2, temperature=0.1, max_tokens=50
    )
    async with silent_room.bot():
        for number in range(7):
            await world.say("bob", "general", f"@commonroom question {number} " + "y" * 1_900)
        await silent_room.notice("2 questions in a minute", "bob")
        await until(lambda: len(silent_room.bot_says("bob")) >= 3)
        jobs = await JobRecords(JobQueue(silent_room.redis)).list_for(str(world.user("bob")["id"]))
    assert len(jobs) == 2
    assert {job.system for job in jobs} == {"Only of gardens."}
    assert {(job.sampling.temperature, job.sampling.max_tokens) for job in jobs} == {(0.1, 50)}


async def test_a_question_of_an_earlier_process_is_admitted_too(
    silent_room: Room, world: UserActions
) -> None:
    """What the admins decided meanwhile holds for it."""
    guild, place = str(world.channel("general")["guild_id"]), str(world.channel("general")["id"])
    store = PreferenceStore(silent_room.redis, Preferences())
    asker = Asker(str(world.user("bob")["id"]), guild, (place,))
    asked = [await world.say("bob", "general", text) for text in ("one", "two")]
    for message in asked:
        below = reply_target.encode(MessageTarget(channel=place, message=message.id)).decode()
        job = Job(
            id=message.id,
            channel=place,
            user=asker.user,
            user_name="bob",
            server=guild,
            prompt=f"{message.data['content']} {'y' * 5_990}",  # no two are one question
            reader="bot-0",
            reply=below,
        )
        await PendingQuestions(silent_room.redis, "bot-0").save(Question(job, asker=asker))
    await JobQueue(silent_room.redis).submit(
        Job(**{**msgspec.structs.asdict(job), "id": asked[0].id, "prompt": "one"})
    )  # the first of them was asked before the process died
    await store.change(guild, SERVER, enabled=False)
    async with silent_room.bot():
        told = await silent_room.notice("switched off", "bob")
    assert told.responds_to == asked[1].id


def test_nothing_else_admits_a_job() -> None:
    """`AnswerManager.submit` takes what only `Admission` makes; no other code submits."""
    made, submitting = set(), set()
    for path in Path("bot").rglob("*.py"):
        text = path.read_text()
        made |= {path.name} if re.search(r"\bAdmitted\(", text) else set()
        submitting |= {path.name} if re.search(r"\bqueue\.submit\(", text) else set()
    assert made == {"admission.py"}
    assert submitting == {"answer_stream.py"}

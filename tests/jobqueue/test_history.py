"""A channel's memory: budgeted loading, undo, clear, export, erase."""

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from jobqueue.history import History
from jobqueue.queue import JobQueue, Policy
from jobqueue.schema import Finished, Summary
from tests.jobqueue.support import claim_one, finish, make_job, make_turn


@pytest.fixture
def history(redis: Redis) -> History:
    return History(redis)


async def say(queue: JobQueue, name: str, *, tokens: int = 10, **fields: str) -> None:
    await queue.submit(make_job(name, **fields))
    await finish(queue, await claim_one(queue), f"answer {name}", tokens)


async def test_the_newest_turns_that_fit_are_loaded(queue: JobQueue, history: History) -> None:
    for n in range(50):
        await say(queue, f"{n}", tokens=10)
    everything = await history.load("general", None)
    assert ([t.job for t in everything.turns], everything.omitted) == (
        [f"{n}" for n in range(50)],
        0,
    )
    few = await history.load("general", 35)
    assert ([t.job for t in few.turns], few.omitted) == (["47", "48", "49"], 47)
    most = await history.load("general", 400)
    assert (len(most.turns), most.omitted) == (40, 10)
    assert await history.load("general", 9) == await history.load("general", 0)
    assert (await history.load("elsewhere", 100)).turns == ()


async def test_a_channel_keeps_a_bounded_number_of_turns(redis: Redis, history: History) -> None:
    queue = JobQueue(redis, policy=Policy(history_turns=3))
    for n in range(5):
        await say(queue, f"{n}")
    assert [t.job for t in (await history.load("general")).turns] == ["2", "3", "4"]
    assert (await history.get_stats("general")).turns == 3


async def test_undo_takes_the_last_turn_back(queue: JobQueue, history: History) -> None:
    await say(queue, "a")
    await say(queue, "b")
    undone = await history.undo("general")
    assert undone is not None
    assert undone.job == "b"
    assert [t.job for t in (await history.load("general")).turns] == ["a"]
    await history.undo("general")
    assert await history.undo("general") is None


async def test_a_repeated_undo_takes_back_only_one(queue: JobQueue, history: History) -> None:
    await say(queue, "a")
    await say(queue, "b")
    first = await queue.scripts.run("undo", "general", "nonce", "")
    assert await queue.scripts.run("undo", "general", "nonce", "") == first
    assert len((await history.load("general")).turns) == 1


async def test_clear_forgets_the_turn_being_answered_too(queue: JobQueue, history: History) -> None:
    await say(queue, "a")
    await queue.submit(make_job("running"))
    lease = await claim_one(queue)
    assert await history.clear("general") == 1
    await finish(queue, lease)
    assert (await history.load("general")).turns == ()
    await say(queue, "after")
    assert [t.job for t in (await history.load("general")).turns] == ["after"]


async def test_what_was_cleared_comes_back_as_it_was(queue: JobQueue, history: History) -> None:
    for name in "abc":
        await say(queue, name, tokens=10)
    assert await summarised(history, "a")
    before, head = await history.load("general"), await history.get_head("general")
    assert await history.clear("general", nonce="1", by="ada") == 3
    assert await history.clear("general", nonce="1", by="ada") == 3  # its reply was lost
    assert (await history.load("general")).turns == ()
    with pytest.raises(PermissionError):
        await history.restore("general", "1", by="bob")
    with pytest.raises(LookupError):
        await history.restore("general", "2")
    with pytest.raises(LookupError):
        await history.restore("elsewhere", "1")
    for _ in range(2):
        assert await history.restore("general", "1", by="ada") == 3
        assert await history.load("general") == before
    assert await history.get_head("general") == head
    assert (await history.load_since_summary("general")).summary is not None
    await say(queue, "d")
    assert [t.job for t in (await history.load("general")).turns] == ["a", "b", "c", "d"]


async def test_what_was_said_since_follows_what_comes_back(
    queue: JobQueue, history: History
) -> None:
    for name in "ab":
        await say(queue, name)
    await history.clear("general", nonce="1")
    for name in "cd":
        await say(queue, name)
    await history.restore("general", "1")
    turns = (await history.load("general")).turns
    assert [(t.job, t.parent) for t in turns] == [("a", ""), ("b", "a"), ("c", "b"), ("d", "c")]
    await history.restore("general", "1")
    assert (await history.load("general")).turns == turns


async def test_a_second_clear_can_be_undone_and_the_first_no_more(
    queue: JobQueue, history: History
) -> None:
    await say(queue, "a")
    await history.clear("general", nonce="1")
    await say(queue, "b")
    await history.clear("general", nonce="2")
    assert await history.clear("general", nonce="3") == 0  # there is nothing: it takes no place
    with pytest.raises(LookupError):
        await history.restore("general", "1")
    await history.restore("general", "2")
    assert [t.job for t in (await history.load("general")).turns] == ["b"]


async def test_nobodys_clear_ends_the_undo_of_another_person(
    queue: JobQueue, history: History
) -> None:
    await queue.submit(make_job("a", user="ada"))
    await finish(queue, await claim_one(queue))
    await history.clear("general", nonce="1", by="manager")
    await queue.submit(make_job("b", user="mallory"))
    await finish(queue, await claim_one(queue))
    assert await history.clear("general", nonce="2", by="mallory") == 1
    assert not await history.is_restorable("general", "2")
    assert await history.is_restorable("general", "1")
    assert await history.restore("general", "1", by="manager") == 1
    assert [turn.job for turn in (await history.load("general")).turns] == ["a"]


async def test_a_turn_that_was_running_comes_back_too(queue: JobQueue, history: History) -> None:
    await say(queue, "a")
    await queue.submit(make_job("running"))
    lease = await claim_one(queue)
    await history.clear("general", nonce="1")
    await history.restore("general", "1")
    await finish(queue, lease)
    assert [t.job for t in (await history.load("general")).turns] == ["a", "running"]


async def test_what_a_person_has_forgotten_does_not_come_back(
    queue: JobQueue, history: History
) -> None:
    for name, user in zip("abc", ("ada", "bob", "ada"), strict=True):
        await say(queue, name, user=user)
    await history.clear("general", nonce="1")
    assert [t.job for t in (await history.export("bob"))["general"]] == ["b"]
    assert await history.erase("bob") == 1
    await history.restore("general", "1")
    assert [t.job for t in (await history.load("general")).turns] == ["a", "c"]


async def test_authors_are_those_of_turns_and_of_questions(
    queue: JobQueue, history: History
) -> None:
    assert await history.list_authors("general") == set()
    await say(queue, "a", user="ada")
    assert await history.list_authors("general") == {"ada"}
    await queue.submit(make_job("b", user="bob"))
    assert await history.list_authors("general") == {"ada", "bob"}


async def test_export_and_erase_are_one_users(queue: JobQueue, history: History) -> None:
    await say(queue, "a", user="ada", channel="one")
    await say(queue, "b", user="bob", channel="one")
    await say(queue, "c", user="ada", channel="two")
    exported = await history.export("ada")
    assert {name: [t.job for t in turns] for name, turns in exported.items()} == {
        "one": ["a"],
        "two": ["c"],
    }

    await queue.submit(make_job("running", user="ada", channel="two"))
    lease = await claim_one(queue)
    assert await history.erase("ada") == 2
    await finish(queue, lease)
    assert await history.export("ada") == {}
    assert await history.erase("ada") == 0
    assert [t.job for t in (await history.load("one")).turns] == ["b"]


async def test_stats(queue: JobQueue, history: History) -> None:
    assert (await history.get_stats("general")).oldest_ms is None
    await say(queue, "a", tokens=7)
    await say(queue, "b", tokens=8)
    stats = await history.get_stats("general")
    assert (stats.turns, stats.tokens) == (2, 15)
    assert stats.oldest_ms is not None


# --- branches -----------------------------------------------------------------------------------


async def branch(queue: JobQueue, name: str, parent: str | None) -> None:
    """A turn that says itself what it follows, as a worker writes it."""
    await queue.submit(make_job(name))
    lease = await claim_one(queue)
    turn = replace(make_turn(lease.job), parent=parent)
    await queue.finish(lease, 0, Finished(text="yes"), turn)


async def names(history: History, parent: str | None = None) -> str:
    return "".join(turn.job for turn in (await history.load("general", None, parent)).turns)


async def test_turns_know_what_they_follow(queue: JobQueue, history: History) -> None:
    await say(queue, "a")
    await say(queue, "b")
    loaded = await history.load("general")
    assert [turn.parent for turn in loaded.turns] == ["", "a"]
    assert loaded.parent == "b"
    assert await history.get_head("general") == "b"


async def test_a_turn_branches_from_an_older_one_and_becomes_the_head(
    queue: JobQueue, history: History
) -> None:
    for name in "abc":
        await say(queue, name)
    await branch(queue, "d", "a")
    assert await names(history) == "ad"
    await say(queue, "e")
    assert await names(history) == "ade"
    assert await names(history, "c") == "abc"
    await branch(queue, "f", "")
    assert await names(history) == "f"
    assert await names(history, "") == ""


async def test_what_is_no_turn_any_more_stands_for_the_head(
    queue: JobQueue, history: History
) -> None:
    await say(queue, "a")
    await branch(queue, "b", "long-forgotten")
    assert await names(history) == "ab"
    assert await names(history, "long-forgotten") == "ab"


async def test_alternatives_are_chosen_while_they_are_the_last(
    queue: JobQueue, history: History
) -> None:
    await say(queue, "a")
    await say(queue, "b")
    await branch(queue, "c", "a")
    assert await names(history) == "ac"
    assert await history.select_head("general", "b", instead_of="c")
    assert await history.select_head("general", "b", instead_of="c")  # a repeated call
    assert await names(history) == "ab"
    assert not await history.select_head("general", "unknown", instead_of="b")
    await say(queue, "d")
    assert not await history.select_head("general", "c", instead_of="b")
    assert await names(history) == "abd"


async def test_undo_takes_back_only_the_turn_that_was_meant(
    queue: JobQueue, history: History
) -> None:
    await say(queue, "a")
    await say(queue, "b")
    assert await history.undo("general", "a") is None
    assert (await history.undo("general", "b")) is not None
    assert await names(history) == "a"


async def test_an_erased_turn_is_stepped_over(queue: JobQueue, history: History) -> None:
    await say(queue, "a", user="ada")
    await say(queue, "b", user="bob")
    await say(queue, "c", user="ada")
    await history.erase("bob")
    assert await names(history) == "ac"
    assert await history.get_turn("general", "b") is None
    await history.undo("general")
    assert await names(history) == "a"
    await history.undo("general")
    assert await history.undo("general") is None


# --- summaries ---------------------------------------------------------------------------------


async def summarised(history: History, upto: str, *, tokens: int = 5) -> bool:
    """A summary of a branch's turns up to one, made of the summary before and what followed."""
    since = await history.load_since_summary("general", upto)
    before = since.summary.turns if since.summary else 0
    summary = Summary(
        turn=upto, text=f"up to {upto}", turns=before + len(since.turns), tokens=tokens
    )
    return await history.store_summary("general", summary, since.turns, since.summary)


async def test_a_summary_takes_the_place_of_turns_that_do_not_fit(
    queue: JobQueue, history: History
) -> None:
    for name in "abcdef":
        await say(queue, name, tokens=10)
    assert await summarised(history, "c")
    everything = await history.load("general", 60)
    assert (len(everything.turns), everything.omitted, everything.summary) == (6, 0, None)
    loaded = await history.load("general", 40)
    assert ([t.job for t in loaded.turns], loaded.omitted) == (["d", "e", "f"], 0)
    assert loaded.summary == Summary(turn="c", text="up to c", turns=3, tokens=5)
    tight = await history.load("general", 25)
    assert ([t.job for t in tight.turns], tight.omitted) == (["e", "f"], 1)
    tiny = await history.load("general", 4)  # it does not fit itself
    assert (tiny.turns, tiny.omitted, tiny.summary) == ((), 6, None)

    assert await summarised(history, "e")
    assert (await history.load("general", 40)).summary == Summary(
        turn="e", text="up to e", turns=5, tokens=5
    )


async def test_a_summary_is_read_only_on_branches_through_its_turn(
    queue: JobQueue, history: History
) -> None:
    for name in "abcd":
        await say(queue, name, tokens=10)
    assert await summarised(history, "c")
    await history.undo("general")
    await history.undo("general")  # now b is the head, and c a branch of its own
    await say(queue, "e", tokens=10)
    loaded = await history.load("general", 20)
    assert ([t.job for t in loaded.turns], loaded.omitted, loaded.summary) == (["b", "e"], 1, None)
    back = await history.load("general", 25, parent="d")
    assert back.summary is not None
    assert ([t.job for t in back.turns], back.summary.turn) == (["d"], "c")


async def test_what_a_person_wants_forgotten_is_in_no_summary(
    queue: JobQueue, history: History
) -> None:
    for name, user in zip("abcd", ("ada", "bob", "ada", "bob"), strict=True):
        await say(queue, name, tokens=10, user=user)
    since = await history.load_since_summary("general", "b")
    assert await summarised(history, "b")
    assert await history.erase("bob") == 2
    assert (await history.load("general", 10)).summary is None
    late = Summary(turn="b", text="bob said", turns=2, tokens=5)  # it was being written meanwhile
    assert not await history.store_summary("general", late, since.turns, None)
    assert not await history.store_summary("general", late, (), late)
    await history.clear("general")
    assert (await history.load_since_summary("general", "c")).summary is None

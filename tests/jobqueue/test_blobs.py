"""Whose files are kept, which go first, and what stays free for questions."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import msgspec
import pytest
import pytest_asyncio
from redis.asyncio import Redis

from jobqueue.blobs import Blobs
from jobqueue.errors import QueueFull
from jobqueue.job_records import JobRecords
from jobqueue.lua_runner import Scripts
from jobqueue.queue import JobQueue, Policy
from jobqueue.schema import Attachment, Job
from tests.jobqueue.support import claim_one, finish, make_job

FILE = 96 * 1024 - 64  # bytes, which every allocator stores in about 96 KiB
# A user may hold two such files, a server's members four, all together eight.
POLICY = Policy(blob_quota=17 * 48 * 1024, blob_fresh_ms=0)


def data(name: str, size: int = FILE) -> bytes:
    """Bytes of which no two names' are the same."""
    return name.encode().ljust(size, b".")


async def put(blobs: Blobs, name: str, user: str, server: str = "s") -> str:
    return await blobs.put(data(name), user=user, server=server)


async def kept(blobs: Blobs, *names: str) -> list[bool]:
    return [await blobs.get(name) is not None for name in names]


async def counted(redis: Redis) -> int:
    sizes = Scripts(redis, "main").key("blob_sizes")
    return int(await redis.hget(sizes, "total") or 0)


async def stored(redis: Redis) -> int:
    """What the server says that the files take."""
    pattern = Scripts(redis, "main").key("blob", "*")
    return sum([int(await redis.memory_usage(key) or 0) async for key in redis.scan_iter(pattern)])


def asking(*files: str, user: str = "ada", job: str = "q") -> Job:
    attachments = [Attachment(sha256=f, name="f", media_type="text/plain", size=1) for f in files]
    return msgspec.structs.replace(make_job(job, user=user), attachments=tuple(attachments))


async def test_a_file_is_found_by_its_hash_for_a_while(redis: Redis) -> None:
    blobs = Blobs(redis, policy=replace(POLICY, blob_ttl_ms=60_000))
    name = await blobs.put(b"12345")
    assert await blobs.put(b"12345") == name
    assert await blobs.get(name) == b"12345"
    assert 0 < await redis.pttl(Scripts(redis, "main").key("blob", name)) <= 60_000
    assert await blobs.get("0" * 64) is None


async def test_files_count_as_they_are_stored(redis: Redis) -> None:
    """Many small ones take several times their bytes."""
    blobs = Blobs(redis, policy=POLICY)
    for number in range(50):
        await blobs.put(b"%d" % number, user="ada", server="s")
        await blobs.put(b"%d" % number, user="bob", server="s")  # the same bytes, once more
    await put(blobs, "large", "ada")
    assert await counted(redis) == await stored(redis) > FILE + 50 * 50


async def test_one_user_takes_nothing_from_another(redis: Redis) -> None:
    blobs = Blobs(redis, policy=replace(POLICY, blob_fresh_ms=60_000))
    first = [await put(blobs, f"{n}", "mallory") for n in range(2)]
    for n in range(2, 9):
        with pytest.raises(QueueFull) as full:
            await put(blobs, f"{n}", "mallory")
        assert full.value.scope == "files-user"
        assert 0 < full.value.waiting <= full.value.limit == POLICY.blob_quota // 4
    assert all(await kept(blobs, *first))  # of one question, perhaps
    assert await kept(blobs, await put(blobs, "good", "victim"))


async def test_ones_own_oldest_file_makes_room(redis: Redis) -> None:
    blobs = Blobs(redis, policy=POLICY)
    names = [await put(blobs, f"{n}", "ada") for n in range(3)]
    assert await kept(blobs, *names) == [False, True, True]


async def test_a_file_that_alone_is_too_much_drops_nothing(redis: Redis) -> None:
    blobs = Blobs(redis, policy=POLICY)
    name = await put(blobs, "small", "ada")
    with pytest.raises(QueueFull):
        await blobs.put(data("large", 3 * FILE), user="ada", server="s")
    assert await kept(blobs, name) == [True]
    assert await counted(redis) == await stored(redis)


async def test_a_full_server_takes_from_its_largest_holder(redis: Redis) -> None:
    blobs = Blobs(redis, policy=POLICY)
    other = await put(blobs, "other", "zoe", "elsewhere")
    small = await put(blobs, "small", "bob")
    large = [await put(blobs, f"{user}{n}", user) for user in ("mallory", "eve") for n in range(2)]
    assert (await kept(blobs, other, small)) == [True, True]
    assert sum(await kept(blobs, *large)) == 3  # a server's share is four
    new = await put(blobs, "new", "ada")
    assert (await kept(blobs, other, small, new)) == [True, True, True]
    assert sum(await kept(blobs, *large)) == 2


async def test_when_all_is_full_the_largest_holder_gives_first(redis: Redis) -> None:
    blobs = Blobs(redis, policy=replace(POLICY, blob_server_share=1.0))
    small = [await put(blobs, f"small{n}", f"user{n}") for n in range(4)]
    large = [await put(blobs, f"{user}{n}", user) for user in ("mallory", "eve") for n in range(2)]
    new = [await put(blobs, f"new{n}", f"newcomer{n}") for n in range(2)]
    assert all(await kept(blobs, *small, *new))
    assert sum(await kept(blobs, *large)) == 2
    assert await counted(redis) == await stored(redis) <= POLICY.blob_quota


async def test_what_a_job_needs_is_kept_until_it_ends(redis: Redis) -> None:
    blobs, queue = Blobs(redis, policy=POLICY), JobQueue(redis, policy=POLICY)
    needed = [await put(blobs, f"{n}", "ada") for n in range(2)]
    await queue.submit(asking(*needed))
    await queue.submit(asking(*needed))  # the reply was lost
    with pytest.raises(QueueFull):
        await put(blobs, "more", "ada")
    lease = await claim_one(queue)
    with pytest.raises(QueueFull):
        await put(blobs, "more", "ada")
    assert all(await kept(blobs, *needed))
    await finish(queue, lease)
    await finish(queue, lease)
    await put(blobs, "more", "ada")
    assert await kept(blobs, *needed) == [False, True]
    assert await redis.exists(queue.scripts.key("blob_needs")) == 0


@pytest.mark.parametrize("end", ["cancel", "release", "give up"])
async def test_however_a_job_ends_its_files_are_free(redis: Redis, end: str) -> None:
    policy = replace(POLICY, max_attempts=1)
    blobs, queue = Blobs(redis, policy=policy), JobQueue(redis, policy=policy)
    for number in range(2):  # of which both need it
        await queue.submit(asking(await put(blobs, "0", "ada"), job=f"q{number}"))
    if end == "cancel":
        await queue.cancel("q0")
    else:
        lease = await claim_one(queue)
        await (queue.release(lease) if end == "release" else queue.give_up(lease))
        await queue.reap()
    (needs,) = await redis.hvals(queue.scripts.key("blob_needs"))
    assert int(needs) == (2 if end == "release" else 1)
    for number in range(2):
        await queue.cancel(f"q{number}")
    assert await redis.exists(queue.scripts.key("blob_needs")) == 0


async def test_what_is_forgotten_counts_no_more(redis: Redis) -> None:
    blobs, queue = Blobs(redis, policy=POLICY), JobQueue(redis, policy=POLICY)
    mine, other = await put(blobs, "mine", "ada"), await put(blobs, "other", "ada")
    await queue.submit(asking(mine))
    await finish(queue, await claim_one(queue))
    await queue.mark_delivered("q")
    await queue.submit(asking(other, job="r"))
    await JobRecords(queue).erase("ada")
    assert await kept(blobs, mine, other) == [False, True]
    assert await counted(redis) == await stored(redis)


# --- the server's memory ------------------------------------------------------------------------


async def counted_memory(redis: Redis) -> int:
    """The bytes that the server counts against its limit."""
    memory = await redis.info("memory")
    return int(memory["used_memory"]) - int(memory["mem_not_counted_for_evict"])


@pytest_asyncio.fixture
async def memory(redis: Redis) -> AsyncIterator[int]:
    """16 MiB more than the server uses; without a quota that would bind first."""
    yield await counted_memory(redis) + (16 << 20)
    await redis.config_set("maxmemory", 0)


@pytest.mark.parametrize("setting", ["maxmemory", "policy"])
async def test_room_for_questions_stays_free_whoever_posts_files(
    redis: Redis, memory: int, setting: str
) -> None:
    """Also where the server has no limit, and ours is told by the policy."""
    policy = Policy(blob_quota=1 << 30, blob_fresh_ms=0, blob_share=1.0)
    if setting == "maxmemory":
        await redis.config_set("maxmemory", memory)
    else:
        policy = replace(policy, memory=memory)
    blobs, queue = Blobs(redis, policy=policy), JobQueue(redis, policy=policy)
    names = [await blobs.put(data(f"{n}", 1 << 20), user=f"{n}", server=f"{n}") for n in range(40)]
    used = await counted_memory(redis)
    assert used < memory * 0.80  # a quarter is kept free, as exactly as the server counts
    assert await blobs.get(names[-1]) is not None
    await queue.submit(make_job("short"))
    await queue.submit(msgspec.structs.replace(make_job("long"), prompt="x" * 90_000))


async def test_a_disk_that_is_behind_refuses_no_file(redis: Redis, memory: int) -> None:
    """The append-only file's buffer is no memory that the server counts against its limit."""
    await redis.config_set("maxmemory", memory)
    scripts = Scripts(redis, "main", Policy())
    await scripts.run("put_blob", "a" * 64, b"file", "ada", "")  # the server knows the script now
    write = "for _ = 1, 40 do redis.call('SET', 'written', string.rep('x', 1048576)) end"
    _, refusal = await asyncio.gather(  # in one round trip, so nothing is flushed in between
        scripts.call("EVAL", write, 0), scripts.run("put_blob", "b" * 64, b"file", "ada", "")
    )
    assert refusal is None


async def test_long_questions_leave_room_for_short_ones(redis: Redis, memory: int) -> None:
    queue = JobQueue(redis)
    await redis.setrange("history", 16 << 20, b"x")  # without a buffer of that size
    long = msgspec.structs.replace(make_job("long"), prompt="x" * 90_000)
    await _fill(redis, 0.95)
    with pytest.raises(QueueFull) as full:
        await queue.submit(long)
    assert full.value.scope == "memory"
    await _fill(redis, 0.95)
    with pytest.raises(QueueFull):
        await Blobs(redis).put(b"file")
    await queue.submit(make_job("short"))
    await redis.config_set("maxmemory", 0)
    await queue.submit(long)
    assert (await queue.submit(long)).duplicate


async def _fill(redis: Redis, share: float) -> None:
    """As if so much of the memory were used, once what clients left behind is freed."""
    used, before = 0, -(1 << 30)
    async with asyncio.timeout(30):
        while abs(used - before) > 10_000:
            used, before = await counted_memory(redis), used
            await asyncio.sleep(0.1)
    await redis.config_set("maxmemory", int(used / share))

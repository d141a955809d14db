"""A cluster of three: shards on different nodes, and a node that dies and comes back."""

import asyncio
from collections.abc import Iterator
from contextlib import aclosing

import pytest

from bench.redis_server import RedisServer, run_cluster
from common.doctor_report import Severity
from jobqueue.doctor_checks import check_redis_server
from jobqueue.event_reader import EventReader
from jobqueue.history import History
from jobqueue.queue import JobQueue
from jobqueue.redis_client import connect
from jobqueue.schema import Delta, Finished, Started
from tests.jobqueue.support import claim_one, finish, make_job


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RedisServer]]:
    with run_cluster(tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes


def _url(nodes: list[RedisServer]) -> str:
    return nodes[0].url.replace("redis:", "redis+cluster:")


async def test_shards_spread_over_the_nodes_and_work(nodes: list[RedisServer]) -> None:
    async with aclosing(connect(_url(nodes))) as redis:
        for shard in "abcdef":
            queue = JobQueue(redis, shard=shard)
            async with EventReader(queue, "bot-0") as live:
                await queue.submit(make_job("a"))
                await queue.wait_for_work(["chat"], 1)
                lease = await claim_one(queue)
                await queue.emit(lease, 0, [Started(attempt=1), Delta(text="yes")])
                await finish(queue, lease, "yes")
                events = [envelope.event async for envelope in live.follow("a")]
            assert isinstance(events[-1], Finished)
            assert len((await History(redis, shard).load("general")).turns) == 1
    used = [node for node in nodes if _size(node)]
    assert len(used) == len(nodes)


async def test_the_doctor_looks_at_each_node(nodes: list[RedisServer]) -> None:
    found = await check_redis_server({"REDIS_URL": _url(nodes)})
    assert not [finding for finding in found if finding.verdict is Severity.FAULT], found
    assert sum(finding.what.endswith(": persistence") for finding in found) == len(nodes)


async def test_a_shard_waits_for_its_node_while_others_go_on(nodes: list[RedisServer]) -> None:
    async with aclosing(connect(_url(nodes))) as redis:
        queue, before = JobQueue(redis, shard="restart"), [_size(node) for node in nodes]
        await queue.submit(make_job("a"))
        [home] = [node for node, n in zip(nodes, before, strict=True) if _size(node) > n]
        home.kill()
        claiming = asyncio.create_task(claim_one(queue))
        await asyncio.sleep(0.5)  # it fails meanwhile, and tries again
        await asyncio.to_thread(home.start)
        lease = await claiming
        await finish(queue, lease)
        assert [t.job for t in (await History(redis, "restart").load("general")).turns] == ["a"]


def _size(node: RedisServer) -> int:
    with node.client() as client:
        return int(client.execute_command("DBSIZE"))

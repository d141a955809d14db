"""Servers share the workers by tokens; a server's channels take turns."""

from redis.asyncio import Redis

from jobqueue.queue import JobLimits, JobQueue, Policy
from tests.jobqueue.support import Clock, claim, claim_one, finish, make_job

MANY = Policy(limits=JobLimits(per_user=1000, per_channel=1000, per_server=1000, total=10_000))


def unlimited(redis: Redis) -> JobQueue:
    return JobQueue(redis, policy=MANY, clock=Clock())


async def submit_many(queue: JobQueue, server: str, count: int, channels: int = 1) -> None:
    for n in range(count):
        channel = f"{server}-{n % channels}"
        await queue.submit(make_job(f"{server}-{n}", server=server, channel=channel, user=server))


async def test_a_quiet_server_waits_for_two_jobs_of_a_noisy_one_at_most(redis: Redis) -> None:
    queue = unlimited(redis)
    await submit_many(queue, "noisy", 100, channels=50)
    for lease in await claim(queue, 10):
        await finish(queue, lease)
    await submit_many(queue, "quiet", 1)

    order = []
    for _ in range(3):
        lease = await claim_one(queue)
        order.append(lease.job.server)
        await finish(queue, lease)
    assert "quiet" in order[:2]


async def test_servers_share_by_tokens_not_by_jobs(redis: Redis) -> None:
    queue = unlimited(redis)
    await submit_many(queue, "long", 60, channels=20)
    await submit_many(queue, "short", 60, channels=20)
    tokens = {"long": 300, "short": 100}
    used = {"long": 0, "short": 0}
    for _ in range(40):
        lease = await claim_one(queue)
        server = lease.job.server
        used[server] += tokens[server]
        await finish(queue, lease, tokens=tokens[server])
    assert abs(used["long"] - used["short"]) <= 600


async def test_real_tokens_correct_the_estimate_while_many_run(redis: Redis) -> None:
    """Eight slots: charges are estimates at claim, and each is put right at its finish."""
    queue = unlimited(redis)
    await submit_many(queue, "long", 200, channels=40)
    await submit_many(queue, "short", 400, channels=40)
    tokens = {"long": 400, "short": 100}
    used = {"long": 0, "short": 0}
    for _ in range(30):
        for lease in await claim(queue, 8):
            server = lease.job.server
            used[server] += tokens[server]
            await finish(queue, lease, tokens=tokens[server])
    assert abs(used["long"] - used["short"]) <= 0.25 * used["long"]


async def test_being_away_saves_nothing_up(redis: Redis) -> None:
    queue = unlimited(redis)
    await submit_many(queue, "busy", 50, channels=50)
    for _ in range(20):
        await finish(queue, await claim_one(queue), tokens=1000)
    await submit_many(queue, "back", 20, channels=20)
    order = []
    for _ in range(10):
        lease = await claim_one(queue)
        order.append(lease.job.server)
        await finish(queue, lease, tokens=1000)
    assert 4 <= order.count("back") <= 6


async def test_leaving_forgives_nothing(redis: Redis) -> None:
    """A server that empties its queue after each long answer stays as far ahead as it was."""
    queue = unlimited(redis)
    await submit_many(queue, "steady", 50, channels=50)
    await submit_many(queue, "greedy", 1)
    served = 0
    for n in range(1, 31):
        lease = await claim_one(queue)
        greedy = lease.job.server == "greedy"
        served += greedy
        await finish(queue, lease, tokens=1000 if greedy else 100)
        if greedy:
            await queue.submit(make_job(f"again-{n}", server="greedy", channel="g", user="g"))
    assert served <= 5


async def test_a_servers_channels_take_turns(redis: Redis) -> None:
    queue = unlimited(redis)
    for channel in ("loud", "calm"):
        for n in range(3):
            await queue.submit(make_job(f"{channel}-{n}", channel=channel))
    order = []
    for _ in range(6):
        lease = await claim_one(queue)
        order.append(lease.job.channel)
        await finish(queue, lease)
    assert order == ["loud", "calm"] * 3


async def test_no_capability_starves_another(redis: Redis) -> None:
    queue = unlimited(redis)
    for n in range(10):
        await queue.submit(make_job(f"c{n}", channel=f"c{n}", capability="chat"))
        await queue.submit(make_job(f"v{n}", channel=f"v{n}", capability="vision"))
    seen = [(await claim(queue, 1, "chat", "vision"))[0].job.capability for _ in range(6)]
    assert seen.count("chat") == seen.count("vision") == 3


async def test_accounts_of_servers_that_left_do_not_pile_up(redis: Redis) -> None:
    queue = unlimited(redis)
    for n in range(50):
        await submit_many(queue, f"s{n}", 1)
        await finish(queue, await claim_one(queue), tokens=100)
    for kind in ("account", "estimated", "ahead", "ready"):
        assert not await redis.exists(queue.scripts.key(kind, "chat"))

"""How often one person may ask."""

import pytest
from redis.asyncio import Redis

from jobqueue.queue import JobQueue
from jobqueue.rate_limit import DAY_MS, RateExceeded, RateLimiter, UserLimits
from tests.jobqueue.support import Clock, claim_one, finish, make_job

MINUTE_MS = 60_000
HOUR_MS = 3_600_000


@pytest.fixture
def rates(redis: Redis, clock: Clock) -> RateLimiter:
    return RateLimiter(redis, clock=clock)


async def test_without_a_rate_everything_is_taken(rates: RateLimiter) -> None:
    for number in range(50):
        assert await rates.count_question("s", "ada", str(number), UserLimits()) is None


async def test_the_minute_slides(rates: RateLimiter, clock: Clock) -> None:
    rate = UserLimits(per_minute=2)
    assert await rates.count_question("s", "ada", "1", rate) is None
    clock.now += 20_000
    assert await rates.count_question("s", "ada", "2", rate) is None
    assert await rates.count_question("s", "ada", "3", rate) == RateExceeded(MINUTE_MS, 2, 40_000)
    clock.now += 40_000
    assert await rates.count_question("s", "ada", "3", rate) is None
    assert await rates.count_question("s", "ada", "4", rate) == RateExceeded(MINUTE_MS, 2, 20_000)


async def test_the_day_counts_beside_the_minute(rates: RateLimiter, clock: Clock) -> None:
    rate = UserLimits(per_minute=5, per_day=3)
    for number in range(3):
        assert await rates.count_question("s", "ada", str(number), rate) is None
    assert await rates.count_question("s", "ada", "3", rate) == RateExceeded(DAY_MS, 3, DAY_MS)
    clock.now += DAY_MS
    assert await rates.count_question("s", "ada", "3", rate) is None


async def test_a_refused_question_is_not_counted(rates: RateLimiter, clock: Clock) -> None:
    rate = UserLimits(per_minute=1)
    await rates.count_question("s", "ada", "1", rate)
    for _ in range(5):
        assert await rates.count_question("s", "ada", "2", rate) is not None
    clock.now += MINUTE_MS
    assert await rates.count_question("s", "ada", "2", rate) is None


async def test_the_same_question_counts_once(rates: RateLimiter) -> None:
    rate = UserLimits(per_minute=1)
    assert await rates.count_question("s", "ada", "1", rate) is None
    assert await rates.count_question("s", "ada", "1", rate) is None


async def test_people_do_not_share_a_rate(rates: RateLimiter) -> None:
    rate = UserLimits(per_minute=1)
    assert await rates.count_question("s", "ada", "1", rate) is None
    assert await rates.count_question("s", "bob", "2", rate) is None


# --- tokens and files of a day ------------------------------------------------------------------


async def test_files_of_a_day_are_counted_with_their_question(
    rates: RateLimiter, clock: Clock
) -> None:
    rate, mb = UserLimits(megabytes_per_day=10), 1 << 20
    assert await rates.count_question("s", "ada", "1", rate, file_bytes=6 * mb) is None
    assert await rates.count_question("s", "ada", "1", rate, file_bytes=6 * mb) is None  # repeated
    clock.now += 3 * HOUR_MS
    assert await rates.count_question("s", "ada", "2", rate, file_bytes=4 * mb) is None
    exceeded = await rates.count_question("s", "ada", "3", rate, file_bytes=5 * mb)
    assert exceeded
    assert (exceeded.what, exceeded.limit, exceeded.window_ms) == ("megabytes", 10, DAY_MS)
    assert 20 * HOUR_MS < exceeded.wait_ms <= 21 * HOUR_MS
    assert await rates.count_question("s", "ada", "3", rate) is None  # without files
    assert await rates.count_question("s", "bob", "4", rate, file_bytes=10 * mb) is None
    clock.now += exceeded.wait_ms
    assert await rates.count_question("s", "ada", "5", rate, file_bytes=5 * mb) is None


async def test_what_answers_took_is_counted_when_they_end(
    redis: Redis, rates: RateLimiter, clock: Clock
) -> None:
    queue, rate = JobQueue(redis, clock=clock), UserLimits(tokens_per_day=100)
    for number in range(2):
        assert await rates.count_question("guild", "ada", f"{number}", rate) is None
        await queue.submit(make_job(f"{number}", user="ada", server="guild"))
        lease = await claim_one(queue)
        await finish(queue, lease, tokens=50)
        await finish(queue, lease, tokens=50)  # its reply was lost
    exceeded = await rates.count_question("guild", "ada", "2", rate)
    assert exceeded
    assert (exceeded.what, exceeded.limit) == ("tokens", 100)
    assert await rates.count_question("elsewhere", "ada", "2", rate) is None
    assert await rates.count_question("guild", "bob", "3", rate) is None
    assert await rates.count_question("guild", "ada", "2", UserLimits(tokens_per_day=101)) is None
    clock.now += exceeded.wait_ms
    assert await rates.count_question("guild", "ada", "4", rate) is None


async def test_what_alone_is_too_much_is_refused_and_nothing_is_kept(
    redis: Redis, rates: RateLimiter
) -> None:
    for number in range(3):
        exceeded = await rates.count_question(
            "s", "ada", f"{number}", UserLimits(None, 5, 1, 1), file_bytes=2 << 20
        )
        assert exceeded
        assert 0 < exceeded.wait_ms <= DAY_MS
    assert await redis.keys("*") == []

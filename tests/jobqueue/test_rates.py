"""How often one person may ask."""

import pytest
from redis.asyncio import Redis

from jobqueue.rates import DAY_MS, Exceeded, Rate, Rates
from tests.jobqueue.support import Clock

MINUTE_MS = 60_000


@pytest.fixture
def rates(redis: Redis, clock: Clock) -> Rates:
    return Rates(redis, clock=clock)


async def test_without_a_rate_everything_is_taken(rates: Rates) -> None:
    for number in range(50):
        assert await rates.count("ada", str(number), Rate()) is None


async def test_the_minute_slides(rates: Rates, clock: Clock) -> None:
    rate = Rate(per_minute=2)
    assert await rates.count("ada", "1", rate) is None
    clock.now += 20_000
    assert await rates.count("ada", "2", rate) is None
    assert await rates.count("ada", "3", rate) == Exceeded(MINUTE_MS, 2, 40_000)
    clock.now += 40_000
    assert await rates.count("ada", "3", rate) is None
    assert await rates.count("ada", "4", rate) == Exceeded(MINUTE_MS, 2, 20_000)


async def test_the_day_counts_beside_the_minute(rates: Rates, clock: Clock) -> None:
    rate = Rate(per_minute=5, per_day=3)
    for number in range(3):
        assert await rates.count("ada", str(number), rate) is None
    assert await rates.count("ada", "3", rate) == Exceeded(DAY_MS, 3, DAY_MS)
    clock.now += DAY_MS
    assert await rates.count("ada", "3", rate) is None


async def test_a_refused_question_is_not_counted(rates: Rates, clock: Clock) -> None:
    rate = Rate(per_minute=1)
    await rates.count("ada", "1", rate)
    for _ in range(5):
        assert await rates.count("ada", "2", rate) is not None
    clock.now += MINUTE_MS
    assert await rates.count("ada", "2", rate) is None


async def test_the_same_question_counts_once(rates: Rates) -> None:
    rate = Rate(per_minute=1)
    assert await rates.count("ada", "1", rate) is None
    assert await rates.count("ada", "1", rate) is None


async def test_people_do_not_share_a_rate(rates: Rates) -> None:
    rate = Rate(per_minute=1)
    assert await rates.count("ada", "1", rate) is None
    assert await rates.count("bob", "2", rate) is None

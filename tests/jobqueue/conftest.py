import pytest
from redis.asyncio import Redis

from jobqueue.queue import JobLimits, JobQueue, Policy
from tests.jobqueue.support import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def queue(redis: Redis, clock: Clock) -> JobQueue:
    """A queue with a fixed clock and low limits."""
    limits = JobLimits(per_user=6, per_channel=5, per_server=8, total=10)
    return JobQueue(redis, policy=Policy(limits=limits), clock=clock)

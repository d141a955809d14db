"""A short run of what `make soak` does at length, and the ruler that it measures with."""

import asyncio
import os

import pytest

from tests.faults.resource_growth import ResourceSampler, Sample, measure_growth
from tests.faults.soak import run
from tests.faults.soak_people import SoakLoad

MIB = 1 << 20


async def test_the_whole_system_under_faults_loses_nothing() -> None:
    summary, struck, growths = await run(SoakLoad(seconds=3, channels=12, talking=4, seed=7))
    assert summary.is_success, summary
    assert summary.asked >= 4
    assert {growth.name for growth in growths} == {"bot", "worker", "redis"}
    assert struck.total() >= 1


@pytest.mark.parametrize(
    ("mib_per_sample", "handles_per_sample", "flat"), [(0, 0, True), (2, 0, False), (0, 1, False)]
)
def test_what_grows_after_warming_up_is_told(
    mib_per_sample: int, handles_per_sample: int, flat: bool
) -> None:
    samples = [
        Sample(30.0 * n, (100 + mib_per_sample * n) * MIB, 20 + handles_per_sample * n)
        for n in range(60)
    ]
    growth = measure_growth("bot", samples)
    assert growth.is_flat is flat
    assert growth.mib_per_hour == pytest.approx(mib_per_sample * 120)


def test_what_a_server_is_there_to_keep_is_no_growth() -> None:
    samples = [Sample(30.0 * n, (100 + 2 * n) * MIB, 20) for n in range(60)]
    assert measure_growth("redis", samples, kept=110 * MIB).is_flat
    assert not measure_growth("redis", samples, kept=70 * MIB).is_flat


async def test_warming_up_is_no_growth_and_a_process_is_read_from_the_system() -> None:
    samples = [Sample(n, min(n, 20) * MIB, min(n, 20)) for n in range(60)]
    assert measure_growth("bot", samples).is_flat
    watch = ResourceSampler({"me": os.getpid()}, every_s=0.0)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await watch.run()
    assert all(s.memory > MIB and s.handles > 0 for s in watch.samples["me"])
    assert len(watch.samples["me"]) >= 1

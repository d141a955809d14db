"""Samples memory and open handles of processes, to see whether they grow."""

import asyncio
import statistics
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import psutil

WARM = 1 / 3  # of the samples: caches fill, libraries are loaded, connections are opened
MEMORY_SHARE = 0.10  # more at the end than after warming up, at most
MEMORY_BYTES = 16 << 20  # or so much: a page cache's noise in a small process
APART = (1 - WARM) * 2 / 3  # of all the time: between the middles of the two that are compared
HANDLES = 8  # connections that come and go with the load


@dataclass(frozen=True)
class Sample:
    at_s: float
    memory: int  # bytes resident, of the process and its children
    handles: int  # open files, sockets and pipes of the process itself


@dataclass(frozen=True)
class ResourceGrowth:
    """A process after warming up and at the end: medians of a third of the samples."""

    name: str
    memory: tuple[float, float]  # bytes
    handles: tuple[float, float]
    mib_per_hour: float  # the slope of a line through all samples after warming up
    kept: float = 0.0  # bytes that it may have more at the end: it is there to keep them

    @property
    def is_flat(self) -> bool:
        (before, after), (few, many) = self.memory, self.handles
        allowed = max(before * MEMORY_SHARE, MEMORY_BYTES)
        return after - before - self.kept <= allowed and many - few <= HANDLES

    def __str__(self) -> str:
        before, after = (value / 2**20 for value in self.memory)
        few, many = self.handles
        return (
            f"{self.name}: {before:.1f} → {after:.1f} MiB ({self.mib_per_hour:+.1f} MiB/h), "
            f"{few:.0f} → {many:.0f} handles{'' if self.is_flat else ', GROWING'}"
        )


@dataclass
class ResourceSampler:
    pids: dict[str, int]  # by what the process is
    every_s: float
    samples: dict[str, list[Sample]] = field(default_factory=dict)

    async def run(self) -> None:
        """Take samples until cancelled."""
        began = time.monotonic()
        while True:
            for name, pid in self.pids.items():
                sample = await asyncio.to_thread(_sample, pid, time.monotonic() - began)
                self.samples.setdefault(name, []).append(sample)
            await asyncio.sleep(self.every_s)

    def compute_growth(self, kept: Mapping[str, float]) -> list[ResourceGrowth]:
        """Compute the growth; `kept` are the bytes that each process may keep."""
        return [
            measure_growth(name, each, kept.get(name, 0.0)) for name, each in self.samples.items()
        ]


def measure_growth(name: str, samples: list[Sample], kept: float = 0.0) -> ResourceGrowth:
    """Measure the growth by at least six samples."""
    warm = samples[round(len(samples) * WARM) :]
    third = max(len(warm) // 3, 1)
    first, last = warm[:third], warm[-third:]
    slope, _ = statistics.linear_regression([s.at_s for s in warm], [s.memory for s in warm])
    return ResourceGrowth(
        name=name,
        memory=(_median(s.memory for s in first), _median(s.memory for s in last)),
        handles=(_median(s.handles for s in first), _median(s.handles for s in last)),
        mib_per_hour=slope * 3600 / 2**20,
        kept=kept * APART,
    )


def _median(values: Iterable[float]) -> float:
    return float(statistics.median(values))


def _sample(pid: int, at_s: float) -> Sample:
    process = psutil.Process(pid)
    memory = process.memory_info().rss
    for child in process.children(recursive=True):
        try:
            memory += child.memory_info().rss
        except psutil.NoSuchProcess:  # a program in the sandbox has ended
            continue
    return Sample(at_s, memory, process.num_fds())

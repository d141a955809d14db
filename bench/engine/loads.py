"""The loads: many requests at once, requests at a rate, and conversations."""

import asyncio
import random
import time
from collections import Counter
from contextlib import aclosing
from dataclasses import dataclass, field
from statistics import median
from typing import Any, ClassVar

from bench.engine.contender import EngineUnderTest
from bench.report import quantile

FIRST_ID, LAST_ID = 5, 4000  # every vocabulary has these
SECONDS = 8.0  # of an open loop
TURNS = 3
REPLY_TOKENS = 64  # of a person's message between two answers


@dataclass
class TokenTimes:
    asked: float
    times: list[float] = field(default_factory=list)  # when each token arrived
    ids: list[int] = field(default_factory=list)

    @property
    def first_ms(self) -> float:
        return (self.times[0] - self.asked) * 1000


class RandomPrompts:
    """Random ids: equal in every run, but different for each load and repetition, so that none
    finds another's in the cache."""

    _given: ClassVar[Counter[str]] = Counter()

    def __init__(self, load: str) -> None:
        self._given[load] += 1
        self._random = random.Random(f"{load} {self._given[load]}")

    def take(self, tokens: int) -> list[int]:
        return [self._random.randint(FIRST_ID, LAST_ID) for _ in range(tokens)]


async def ask(
    contender: EngineUnderTest, prompt: list[int], new: int, after_s: float = 0
) -> TokenTimes:
    await asyncio.sleep(after_s)
    answer = TokenTimes(time.perf_counter())
    async with aclosing(contender.stream(prompt, new)) as steps:
        async for ids in steps:
            answer.times += [time.perf_counter()] * len(ids)
            answer.ids += ids
    return answer


async def measure_burst(
    contender: EngineUnderTest, count: int, prompt: int, new: int
) -> dict[str, Any]:
    """Measure `count` requests at the same moment, in a second run."""
    prompts = RandomPrompts(f"burst {count}")
    for _ in range(2):
        answers = await asyncio.gather(
            *(ask(contender, prompts.take(prompt), new) for _ in range(count))
        )
    return {"what": f"{contender.name}, {count} at once", **_summarize(answers)}


async def measure_open_loop(
    contender: EngineUnderTest, rate: float, prompt: int, new: int
) -> dict[str, Any]:
    """Measure requests at random moments, `rate` per second on average."""
    chance, prompts = random.Random(2), RandomPrompts(f"open loop {rate}")
    moments, now = [], 0.0
    while (now := now + chance.expovariate(rate)) < SECONDS:
        moments.append(now)
    alone = median([(await ask(contender, prompts.take(prompt), 2)).first_ms for _ in range(5)])
    for _ in range(2):
        answers = await asyncio.gather(
            *(ask(contender, prompts.take(prompt), new, moment) for moment in moments)
        )
    row = _summarize(answers)
    return {
        "what": f"{contender.name}, {rate:g} requests/s",
        **row,
        "first_alone_ms": round(alone, 1),
        "p95_over_alone": round(row["first_p95_ms"] / alone, 2),
    }


async def measure_long_channel(contender: EngineUnderTest, history: int) -> dict[str, Any]:
    """Measure the first token of each turn of a conversation that begins with `history` tokens."""
    prompts = RandomPrompts("long channel")
    waits: list[list[float]] = []
    for _ in range(3):
        said, turns = prompts.take(history), []
        for _ in range(TURNS):
            answer = await ask(contender, said, 32)
            turns.append(answer.first_ms)
            said = said + answer.ids + prompts.take(REPLY_TOKENS)
        waits.append(turns)
    first, *rest = [median(turn) for turn in zip(*waits, strict=True)]
    return {
        "what": f"{contender.name}, one channel of {history} tokens",
        "first_ms_by_turn": [round(first, 1), *(round(turn, 1) for turn in rest)],
        "turn2_over_turn1": round(rest[0] / first, 3),
    }


async def measure_channels(
    contender: EngineUnderTest, count: int, prompt: int, new: int
) -> dict[str, Any]:
    """Measure `count` parallel conversations, and the share of possible cache hits."""
    prompts = RandomPrompts("channels")
    said = [prompts.take(prompt) for _ in range(count)]
    page = contender.page_tokens
    possible, before, firsts = 0, contender.cached_tokens, []
    for turn in range(TURNS):
        answers = await asyncio.gather(*(ask(contender, each, new) for each in said))
        firsts.append(round(quantile([a.first_ms for a in answers], 0.5), 1))
        if turn < TURNS - 1:
            # The last token of an answer is never computed, and pages are found as a whole.
            possible += sum(
                (len(s) + len(a.ids) - 1) // page * page for s, a in zip(said, answers, strict=True)
            )
        said = [s + a.ids + prompts.take(REPLY_TOKENS) for s, a in zip(said, answers, strict=True)]
    found = contender.cached_tokens - before
    return {
        "what": f"{contender.name}, {count} channels",
        "first_p50_ms_by_turn": firsts,
        "cached_of_possible": round(found / possible, 3),
    }


def _summarize(answers: list[TokenTimes]) -> dict[str, Any]:
    """Return rates and times in ms; `decode_s` is the rate while all requests are decoding."""
    begun, ended = min(a.asked for a in answers), max(a.times[-1] for a in answers)
    firsts = [a.first_ms for a in answers]
    gaps = [
        (late - early) * 1000
        for a in answers
        for early, late in zip(a.times, a.times[1:], strict=False)
    ]
    row: dict[str, Any] = {
        "tokens_s": round(sum(len(a.ids) for a in answers) / (ended - begun), 1),
        "first_p50_ms": round(quantile(firsts, 0.5), 1),
        "first_p95_ms": round(quantile(firsts, 0.95), 1),
        "gap_p50_ms": round(quantile(gaps, 0.5), 2),
        "gap_p99_ms": round(quantile(gaps, 0.99), 1),
    }
    opened, closed = max(a.times[0] for a in answers), min(a.times[-1] for a in answers)
    if opened < closed:
        during = sum(opened < t <= closed for a in answers for t in a.times)
        row["decode_s"] = round(during / (closed - opened), 1)
    return row

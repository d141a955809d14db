"""`python -m bench bot`: time to acknowledge, delay of answers, and cost of idle servers.

Local Discord, Valkey, a worker with the scripted engine and the bot are a process each; the CPU
time of each is reported. A minimal discord.py bot in place of ours is the baseline. Discord's rate
limits apply. All times are from one clock, in Discord's process.
"""

import argparse
import asyncio
import json
import time
from bisect import bisect_left
from contextlib import aclosing
from dataclasses import asdict, dataclass
from itertools import pairwise

from bench.bot.fake_discord import AskAtOnce, AskStreams, CreateServers, SayAtRate
from bench.bot.processes import BARE, BOT, start_setup
from bench.report import print_table, quantile
from jobqueue.queue import JobQueue
from jobqueue.redis_client import connect
from jobqueue.schema import Delta, Finished, decode_event
from playground.discord.interactions import ACKNOWLEDGE_SECONDS

PEOPLE = 200
CHANNELS = 64
SERVERS = 2_500
# About 17 tokens a second for 15 s, as a good model on a busy machine writes, in one message.
ANSWER = "!tokens 250 !delay 60ms"
IDLE_S = 20.0
CHATTER_PER_S = 50


@dataclass(frozen=True)
class AcknowledgementFigures:
    """Milliseconds from a command to its acknowledgement, and CPU seconds."""

    bot: str
    people: int
    missed: int  # that saw "the application did not respond"
    p50_ms: int
    p99_ms: int
    cpu_s: dict[str, float]  # by process, until the last answer


@dataclass(frozen=True)
class StreamFigures:
    asked_by: str
    channels: int
    visible_p50_ms: int  # from writing the first token to its being visible
    visible_p99_ms: int
    behind_p50_ms: int  # the age of the newest text that an edit shows
    behind_p99_ms: int
    end_p99_ms: int  # from the last token to the complete answer
    edit_every_ms: int  # median
    bot_cpu: float  # share of one core
    discord_cpu: float


@dataclass(frozen=True)
class IdleFigures:
    servers: int
    mib: float  # of the bot, in all
    kib_per_server: float
    idle_cpu: float  # share of one core
    ready_s: float
    message_us: float  # of CPU time, per message that is not for the bot


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("bot", help="acknowledgements, many streams, idle servers")
    command.set_defaults(run=run)


def run(_args: argparse.Namespace) -> None:
    acknowledged = [
        _measure_acknowledgements("discord.py alone", BARE),
        _measure_acknowledgements("commonroom", BOT),
    ]
    _print_figures("200 people in one second", [asdict(each) for each in acknowledged])
    streamed = [_measure_streams(mention) for mention in (False, True)]
    _print_figures("64 answers at once", [asdict(each) for each in streamed])
    idle = _measure_idle()
    _print_figures("Idle servers", [asdict(idle)])
    print(
        json.dumps(
            {
                "acknowledged": [asdict(each) for each in acknowledged],
                "streamed": [asdict(each) for each in streamed],
                "idle": asdict(idle),
            }
        )
    )


def _print_figures(title: str, rows: list[dict[str, object]]) -> None:
    columns = [name.replace("_", " ") for name in rows[0]]
    print_table(title, columns, [[_cell(value) for value in row.values()] for row in rows])


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {figure}" for name, figure in value.items())
    return str(value)


# --- acknowledgements ---------------------------------------------------------------------------


def _measure_acknowledgements(name: str, bot: tuple[str, ...]) -> AcknowledgementFigures:
    with start_setup(bot) as on:
        on.town.perform(AskAtOnce(20))  # to load everything and open connections
        with on.measure_cpu() as used:
            delays = on.town.perform(AskAtOnce(PEOPLE))
    heard = [min(delay, 1000 * ACKNOWLEDGE_SECONDS) for delay in delays]
    p50, p99 = (round(quantile(heard, q)) for q in (0.5, 0.99))
    return AcknowledgementFigures(name, PEOPLE, delays.count(float("inf")), p50, p99, used)


# --- streams ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _EventTimes:
    """The length of an answer over time: characters, and ms since 1970."""

    lengths: list[int]
    at_ms: list[float]
    ended_ms: float

    def find_time(self, length: int) -> float:
        """Return the time from which so many characters were written."""
        return self.at_ms[min(bisect_left(self.lengths, length), len(self.at_ms) - 1)]


def _measure_streams(mention: bool) -> StreamFigures:
    with start_setup() as on:
        on.town.perform(AskAtOnce(20))
        began = time.monotonic()
        with on.measure_cpu() as used:
            seen = on.town.perform(AskStreams(CHANNELS, ANSWER, mention=mention))
        took = time.monotonic() - began
        written = asyncio.run(_read_event_times(on.redis_url, list(seen)))
    first, behind, end, between = [], [], [], []
    for job, edits in seen.items():
        first.append(edits[0].at_ms - written[job].at_ms[0])
        behind += [edit.at_ms - written[job].find_time(len(edit.content)) for edit in edits]
        end.append(edits[-1].at_ms - written[job].ended_ms)
        between += [b.at_ms - a.at_ms for a, b in pairwise(edits)]
    return StreamFigures(
        asked_by="mention" if mention else "/chat",
        channels=CHANNELS,
        visible_p50_ms=round(quantile(first, 0.5)),
        visible_p99_ms=round(quantile(first, 0.99)),
        behind_p50_ms=round(quantile(behind, 0.5)),
        behind_p99_ms=round(quantile(behind, 0.99)),
        end_p99_ms=round(quantile(end, 0.99)),
        edit_every_ms=round(quantile(between, 0.5)),
        bot_cpu=round(used["bot"] / took, 2),
        discord_cpu=round(used["discord"] / took, 2),
    )


async def _read_event_times(url: str, jobs: list[str]) -> dict[str, _EventTimes]:
    async with aclosing(connect(url)) as redis:
        scripts = JobQueue(redis).scripts
        return {job: await _read_stream(redis, scripts.key("events", job)) for job in jobs}


async def _read_stream(redis: "object", key: str) -> _EventTimes:
    """Read a job's events; their ids are the times at which they were written."""
    lengths, at_ms, length, ended = [], [], 0, 0.0
    for entry_id, fields in await redis.xrange(key):  # type: ignore[attr-defined]
        at, event = float(entry_id.split(b"-")[0]), decode_event(fields[b"event"])
        if isinstance(event, Delta):
            length += len(event.text)
            lengths.append(length)
            at_ms.append(at)
        if isinstance(event, Finished):
            ended = at
    return _EventTimes(lengths, at_ms, ended)


# --- idle servers -------------------------------------------------------------------------------


def _measure_idle() -> IdleFigures:
    few, _, _, _ = _measure_resting(1)
    many, ready_s, idle_cpu, message_us = _measure_resting(SERVERS)
    return IdleFigures(
        servers=SERVERS,
        mib=round(many / 2**20, 1),
        kib_per_server=round((many - few) / 2**10 / SERVERS, 1),
        idle_cpu=round(idle_cpu, 4),
        ready_s=round(ready_s, 1),
        message_us=round(message_us),
    )


def _measure_resting(servers: int) -> tuple[float, float, float, float]:
    began = time.monotonic()
    with start_setup(before=CreateServers(servers)) as on:
        ready_s = time.monotonic() - began
        time.sleep(5)
        with on.measure_cpu() as used:
            time.sleep(IDLE_S)
        memory, idle_cpu = on.measure_memory("bot"), used["bot"] / IDLE_S
        with on.measure_cpu() as used:
            said = on.town.perform(SayAtRate(CHATTER_PER_S, IDLE_S))
    busy = used["bot"] - idle_cpu * IDLE_S
    return memory, ready_s, idle_cpu, 1e6 * busy / said

"""`python -m bench growth`: a calculation of which component limits a growing community first.

Nothing runs. The load of fully used GPUs is compared with the capacity of one of each component,
as the other benchmarks measured it. The component that suffices for the fewest GPUs is first.
"""

import argparse
import json
import math
from dataclasses import asdict, dataclass

from rich import box
from rich.console import Console
from rich.table import Table

# --- measured: docs/performance.md and docs/queue.md, by the command that is named ---------------

GPU_TOKENS_PER_S = 7_060  # engine: one H100, 7.7 B, 256 at once, prompts of 512, answers of 256
GPU_STREAMS = 256
SUBMIT_S, CLAIM_AND_FINISH_S = 0.000_2, 0.000_4  # scale: of a shard's only thread
EMIT_S = 0.000_067  # relay: likewise
EMITS_PER_S = 1_280  # of one worker; with more streams it gathers for longer
BOT_S_OF_STREAM = 0.41 / 64  # bot: of one core, per second
BOT_S_OF_QUESTION = 0.007_8
BOT_MIB, BOT_KIB_OF_SERVER = 80.0, 7.6
CHANNEL_KIB = 0.5  # scale: with one short turn

# --- Discord's --------------------------------------------------------------------------------

DISCORD_PER_S = 50  # requests of one bot, without answers to commands
SERVERS_OF_SHARD = 1_000  # recommended; at most 2,500

# --- assumed ----------------------------------------------------------------------------------

ANSWER_TOKENS = 256
TURNS, TURN_KIB = 20, 1.5  # of a channel's history, and the size of one
CHANNELS_OF_SERVER = 10
MENTIONS = 0.3  # share of all questions; the others are commands
REQUESTS_OF_MENTION = 2  # the first message and the last edit
BUSY = 0.7  # of a core or a thread, at most
NODE_GIB = 48  # of a Redis server


@dataclass(frozen=True)
class Component:
    name: str
    max_gpus: float  # that one of it suffices for
    remedy: str

    def count_needed(self, gpus: int) -> int:
        return math.ceil(gpus / self.max_gpus)


def list_components(channels_of_gpu: float) -> list[Component]:
    """List the components of which there may be several; the first limit comes first."""
    questions_per_s = GPU_TOKENS_PER_S / ANSWER_TOKENS
    bot = GPU_STREAMS * BOT_S_OF_STREAM + questions_per_s * BOT_S_OF_QUESTION
    shard = questions_per_s * (SUBMIT_S + CLAIM_AND_FINISH_S) + EMITS_PER_S * EMIT_S
    memory_gib = channels_of_gpu * (CHANNEL_KIB + TURNS * TURN_KIB) / 2**20
    found = [
        Component("bot process, of a core", BUSY / bot, "COMMONROOM_SHARDS: more processes"),
        Component(
            "Discord's 50 requests/s",
            DISCORD_PER_S / (questions_per_s * MENTIONS * REQUESTS_OF_MENTION),
            "fewer edits; commands; Discord raises it; several bots",
        ),
        Component("queue, one thread of Redis", BUSY / shard, "cells"),
        Component("memory of Redis", NODE_GIB / memory_gib, "cells"),
        Component(
            "Discord shard",
            SERVERS_OF_SHARD * CHANNELS_OF_SERVER / channels_of_gpu,
            "opened by the bot",
        ),
    ]
    return sorted(found, key=lambda part: part.max_gpus)


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("growth", help="on paper: which part is met first")
    command.add_argument("--channels", type=int, default=1_000_000)
    command.add_argument("--gpus", type=int, default=100)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    Console(width=140).print(build_table(args.channels, args.gpus))
    found = [
        asdict(part) | {"needed": part.count_needed(args.gpus)}
        for part in list_components(args.channels / args.gpus)
    ]
    print(json.dumps({"channels": args.channels, "gpus": args.gpus, "parts": found}))


def build_table(channels: int, gpus: int) -> Table:
    questions_per_s = gpus * GPU_TOKENS_PER_S / ANSWER_TOKENS
    title = (
        f"{gpus:,} GPUs, full: {questions_per_s:,.0f} answers/s, {gpus * GPU_STREAMS:,} at once, "
        f"{3600 * questions_per_s / channels:.1f} an hour in each of {channels:,} channels"
    )
    table = Table(title=title, box=box.MARKDOWN)
    table.add_column("component")
    table.add_column("GPUs per one", justify="right")
    table.add_column("needed", justify="right")
    table.add_column("remedy")
    for part in list_components(channels / gpus):
        table.add_row(
            part.name, f"{part.max_gpus:.1f}", f"{part.count_needed(gpus):,}", part.remedy
        )
    return table

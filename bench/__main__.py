"""`python -m bench …`: figures with the way they were got. The last line printed is JSON."""

import argparse

from bench import (
    capacity_model,
    engine,
    fairness,
    perplexity,
    queue,
    queue_overhead,
    scale,
    stream_latency,
    vision,
)
from bench.article import measure as article
from bench.bot import measure as bot
from bench.newcomers import measure as newcomers
from bench.solve import measure as solve


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="command")
    for command in (
        queue,
        fairness,
        stream_latency,
        scale,
        capacity_model,
        bot,
        engine,
        perplexity,
        queue_overhead,
        solve,
        newcomers,
        vision,
        article,
    ):
        command.add_parser(commands)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()

"""`python -m bench.peers PEER work|trickle|flood URL LEDGER`: one side of one queue."""

import argparse
import asyncio
import importlib
from pathlib import Path
from typing import cast

from bench.peers import kit


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("peer")
    parser.add_argument("role", choices=["work", "trickle", "flood"])
    parser.add_argument("url")
    parser.add_argument("ledger", type=Path)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=0.0, help="between jobs, or of each job")
    asyncio.run(_run(parser.parse_args()))


async def _run(args: argparse.Namespace) -> None:
    peer = cast("kit.QueuePeer", importlib.import_module(f"bench.peers.{args.peer}"))
    ledger = kit.Ledger(args.ledger)
    if args.role == "work":
        await peer.work(args.url, ledger.handle)
        return
    spread = kit.trickle if args.role == "trickle" else kit.flood
    async with peer.open_submitter(args.url) as put:
        await spread(put, ledger, args.jobs, args.seconds)


main()

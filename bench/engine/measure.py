"""All loads on all contenders, in one run."""

import argparse
import asyncio
import json
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from bench.engine import limits, loads, peers
from bench.engine.contender import Contender, Ours, Plain, Spread
from bench.engine.llamacpp import LlamaCpp, limit
from bench.engine.models import build
from inference.engines.device_placement import Placement
from inference.models import gguf


def run(args: argparse.Namespace) -> None:
    model = build(args.model, args.shape, Placement(args.quantize, args.spread))
    rows = [limits.row(model)]
    _show(rows)
    on_cpu = model.device.type == "cpu"
    untouched = on_cpu or (args.shape and not (args.quantize or args.spread))
    if "generate" in args.peers and untouched:
        rows += [peers.generate(model, args.prompt, args.new)]
    if "plain" in args.peers and untouched:
        rows += asyncio.run(_measure(Plain(model), args))
    if "llamacpp" in args.peers and on_cpu and (path := gguf.find(args.model or "")):
        rows += [limit(path), *asyncio.run(_measure(LlamaCpp(path, args), args))]
    rows += asyncio.run(_ours(model, args))  # changes the model, so it is last
    _show(rows)
    print(json.dumps({"device": limits.device(model), "torch": torch.__version__, "rows": rows}))


async def _ours(model: Any, args: argparse.Namespace) -> list[dict[str, Any]]:
    if args.spread:
        return await _measure(Spread(model), args)
    rows = []
    async with Ours(model, args) as ours:
        for tokens in args.pieces or [ours.loop.piece_tokens]:
            ours.loop.piece_tokens = tokens
            rows += await _loads(ours, args)
    return rows


async def _measure(contender: Contender, args: argparse.Namespace) -> list[dict[str, Any]]:
    async with contender:
        return await _loads(contender, args)


async def _loads(contender: Contender, args: argparse.Namespace) -> list[dict[str, Any]]:
    rows = [contender.described()]
    rows += [await loads.burst(contender, count, args.prompt, args.new) for count in args.at_once]
    rows += [
        await loads.open_loop(contender, rate, args.prompt, args.new // 2)
        for rate in args.per_second
    ]
    if args.history:
        rows.append(await loads.long_channel(contender, args.history))
    if args.channels:
        rows.append(await loads.channels(contender, args.channels, args.prompt, args.new // 2))
    return rows


def _show(rows: list[dict[str, Any]]) -> None:
    table = Table(title="The engine alone", show_header=False, box=None)
    for row in rows:
        head, *rest = row.items()
        table.add_row(str(head[1]), "  ".join(f"{name} {value}" for name, value in rest))
    Console(width=200).print(table)

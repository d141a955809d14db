"""Runs all loads on all engines, one engine after the other."""

import argparse
import asyncio
import json
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from bench.engine import loads, models
from bench.engine.contender import (
    BatchingEngine,
    EngineUnderTest,
    MultiDeviceEngine,
    PlainBatchingEngine,
    measure_generate,
)
from bench.engine.llamacpp import LlamaCppUnderTest, measure_gguf_limit
from bench.engine.models import build
from inference.engines.device_placement import Placement
from inference.models import gguf


def run(args: argparse.Namespace) -> None:
    model = build(args.model, args.shape, Placement(args.quantize, args.spread))
    rows = [models.measure_limit(model)]
    _print_rows(rows)
    on_cpu = model.device.type == "cpu"
    untouched = on_cpu or (args.shape and not (args.quantize or args.spread))
    if "generate" in args.peers and untouched:
        rows += [measure_generate(model, args.prompt, args.new)]
    if "plain" in args.peers and untouched:
        rows += asyncio.run(_measure(PlainBatchingEngine(model), args))
    if "llamacpp" in args.peers and on_cpu and (path := gguf.find(args.model or "")):
        rows += [
            measure_gguf_limit(path),
            *asyncio.run(_measure(LlamaCppUnderTest(path, args), args)),
        ]
    rows += asyncio.run(_measure_ours(model, args))  # changes the model, so it is last
    _print_rows(rows)
    print(
        json.dumps({"device": models.name_device(model), "torch": torch.__version__, "rows": rows})
    )


async def _measure_ours(model: Any, args: argparse.Namespace) -> list[dict[str, Any]]:
    if args.spread:
        return await _measure(MultiDeviceEngine(model), args)
    rows = []
    async with BatchingEngine(model, args) as ours:
        for tokens in args.pieces or [ours.loop.piece_tokens]:
            ours.loop.piece_tokens = tokens
            rows += await _run_loads(ours, args)
    return rows


async def _measure(contender: EngineUnderTest, args: argparse.Namespace) -> list[dict[str, Any]]:
    async with contender:
        return await _run_loads(contender, args)


async def _run_loads(contender: EngineUnderTest, args: argparse.Namespace) -> list[dict[str, Any]]:
    rows = [contender.describe()]
    rows += [
        await loads.measure_burst(contender, count, args.prompt, args.new) for count in args.at_once
    ]
    rows += [
        await loads.measure_open_loop(contender, rate, args.prompt, args.new // 2)
        for rate in args.per_second
    ]
    if args.history:
        rows.append(await loads.measure_long_channel(contender, args.history))
    if args.channels:
        rows.append(
            await loads.measure_channels(contender, args.channels, args.prompt, args.new // 2)
        )
    return rows


def _print_rows(rows: list[dict[str, Any]]) -> None:
    table = Table(title="The engine alone", show_header=False, box=None)
    for row in rows:
        head, *rest = row.items()
        table.add_row(str(head[1]), "  ".join(f"{name} {value}" for name, value in rest))
    Console(width=200).print(table)

"""`python -m bench engine`: tokens a second and waiting times of the engine alone.

    python -m bench engine --model SmolLM2-135M-Instruct --at-once 1 4
    python -m bench engine --shape internlm2.5-7b --compiled        (on a GPU)

The limit comes first: a step of a single token takes at least the time of reading the weights. So
the measured copy bandwidth over their size is the upper limit of tokens per second of one request.
Then the same load goes to `generate()`, to the library's continuous batching with its defaults, to
llama.cpp if there is no GPU and the model's GGUF is here, and to this project's engine. Prompts
are random ids and no answer ends early, so the work is always the same.
"""

import argparse

SHAPES = ("internlm2.5-7b", "tiny")
PEERS = ("generate", "plain", "llamacpp")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("engine", help="the engine alone: tokens a second, waiting")
    of = command.add_mutually_exclusive_group(required=True)
    of.add_argument("--model", help="a known name or a folder")
    of.add_argument("--shape", choices=SHAPES, help="random weights of this shape")
    command.add_argument("--at-once", type=int, nargs="*", default=[1, 16, 64, 256])
    command.add_argument("--prompt", type=int, default=512, help="tokens")
    command.add_argument("--new", type=int, default=256, help="tokens of each answer")
    command.add_argument("--per-second", type=float, nargs="*", default=[10, 20], help="open loop")
    command.add_argument("--history", type=int, default=4096, help="tokens of one long channel")
    command.add_argument("--channels", type=int, default=64, help="that talk for three turns")
    command.add_argument("--compiled", action="store_true")
    command.add_argument("--quantize", default="", choices=("4bit", "8bit", "fp8"))
    command.add_argument("--spread", action="store_true", help="over all cards, then memory")
    pieces = "tokens of prompts beside texts, each in turn, for the engine's own choice"
    command.add_argument("--pieces", type=int, nargs="*", help=pieces)
    command.add_argument("--peers", nargs="*", default=list(PEERS), choices=PEERS)
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    from bench.engine.measure import run as measure  # noqa: PLC0415 — brings torch

    measure(args)

"""llama.cpp's server as a process of its own; one line of its input says what to serve.

It ends when its input does, however that happens, so it never outlives the one who started it.
"""

import os
import sys
from typing import Any

import msgspec

# Of prompts at a time, for each slot: between two, others write a token, and a question that is
# given up is left. Half as many, and the last of four who begin at once waits twice as long.
BATCH_TOKENS = 8
KEPT_MIB = 512  # for conversations that are in no slot just now
# DRY makes a token less likely that would go on with a sequence written before in one line. Only
# long sequences count: after shorter ones, digits and quotations would be written wrongly.
DRY_MULTIPLIER = 0.8
DRY_ALLOWED_TOKENS = 64
ERRORS = 1  # what it logs; more would tell of what people ask


class ServerPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The model to serve, and the server's limits."""

    path: str  # of a GGUF file
    model: str  # its name
    port: int  # of the loopback; whoever starts the server holds it, with SO_REUSEPORT
    key: str  # without which nobody is answered
    slots: int  # answers at once
    context_tokens: int  # of each
    threads: int
    states: str = ""  # where what a slot has read is saved, with a slash at its end; empty: nowhere
    defaults: dict[str, Any] = {}  # of drawing, as a generation_config.json names them


def main() -> None:
    import xllamacpp  # noqa: PLC0415  (the engine imports this file for its Plan)

    plan = msgspec.json.decode(sys.stdin.buffer.readline(), type=ServerPlan)
    server = xllamacpp.Server(_parameters(xllamacpp.CommonParams(), plan))
    print(server.listening_address, flush=True)
    sys.stdin.buffer.read()
    os._exit(0)  # what runs still is for nobody


def _parameters(wanted: Any, plan: ServerPlan) -> Any:
    """Change llama.cpp's default parameters to those of the plan."""
    wanted.model.path, wanted.model_alias = plan.path, {plan.model}
    wanted.hostnames, wanted.port, wanted.reuse_port = ["127.0.0.1"], plan.port, True
    wanted.api_keys, wanted.ui, wanted.verbosity = [plan.key], False, ERRORS
    wanted.n_parallel, wanted.n_ctx = plan.slots, plan.slots * plan.context_tokens
    wanted.n_batch = wanted.n_ubatch = BATCH_TOKENS * max(plan.slots, 4)
    wanted.cache_ram_mib = KEPT_MIB
    if plan.states:
        wanted.slot_save_path = plan.states
    for processor in (wanted.cpuparams, wanted.cpuparams_batch):
        processor.n_threads = plan.threads
    _draw(wanted.sampling, plan.defaults)
    return wanted


def _draw(sampling: Any, defaults: dict[str, Any]) -> None:
    """Return the samplers in transformers' order: top-k and top-p see what the temperature makes
    likely.
    """
    sampling.samplers = "penalties;dry;temperature;top_k;top_p"
    sampling.temp = defaults.get("temperature", sampling.temp)
    sampling.top_k = defaults.get("top_k", sampling.top_k)
    sampling.top_p = defaults.get("top_p", sampling.top_p)
    sampling.penalty_repeat = defaults.get("repetition_penalty", sampling.penalty_repeat)
    sampling.penalty_last_n = -1  # all tokens count
    sampling.dry_multiplier, sampling.dry_allowed_length = DRY_MULTIPLIER, DRY_ALLOWED_TOKENS


if __name__ == "__main__":
    main()

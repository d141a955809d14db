"""`python -m bench perplexity`: what fewer bits cost in quality, on any device.

    python -m bench perplexity --model SmolLM2-135M-Instruct

The model reads the same text with weights in bfloat16 and with weights and activations rounded to
FP8 (`inference.engines.fp8`). Perplexity is e to the mean of the negative log probability of the
text's tokens. The text is this project's documentation and its Chinese messages, unless files are
given.
"""

import argparse
import json
import math
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
TEXTS = (ROOT / "docs" / "operate.md", ROOT / "docs" / "queue.md", ROOT / "bot/locales/zh-CN.ftl")


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    command = commands.add_parser("perplexity", help="the quality of FP8 beside bfloat16")
    command.add_argument("--model", required=True, help="a known name or a folder")
    command.add_argument("--text", type=Path, nargs="*", default=TEXTS)
    command.add_argument("--window", type=int, default=512, help="tokens that are read together")
    command.add_argument("--windows", type=int, default=24, help="at most, of each text")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> None:
    from inference.engines.fp8 import simulate  # noqa: PLC0415 — brings torch
    from inference.engines.model_loader import load  # noqa: PLC0415
    from inference.models import resolve  # noqa: PLC0415

    files = resolve(args.model)
    loaded = load(files.folder, files.adapter, lambda _done, _what: None)
    texts = {path.name: loaded.tokenizer(path.read_text("utf-8")).input_ids for path in args.text}
    before = {name: _perplexity(loaded.model, ids, args) for name, ids in texts.items()}
    simulate(loaded.model)
    after = {name: _perplexity(loaded.model, ids, args) for name, ids in texts.items()}
    rows = [
        {
            "text": name,
            "bfloat16": round(before[name], 3),
            "fp8": round(after[name], 3),
            "change": f"{after[name] / before[name] - 1:+.2%}",
        }
        for name in texts
    ]
    for row in rows:
        print("  ".join(f"{name} {value}" for name, value in row.items()))
    print(json.dumps({"model": args.model, "rows": rows}))


def _perplexity(model: Any, ids: list[int], args: argparse.Namespace) -> float:
    import torch  # noqa: PLC0415
    from torch.nn.functional import cross_entropy  # noqa: PLC0415

    starts = range(0, len(ids) - args.window, args.window)[: args.windows]
    losses = []
    with torch.inference_mode():
        for start in starts:
            tokens = torch.tensor(ids[start : start + args.window], device=model.device)
            logits = model(tokens[None]).logits[0, :-1].float()
            losses.append(float(cross_entropy(logits, tokens[1:])))
    return math.exp(sum(losses) / len(losses))

"""Converts GGUF to safetensors in bf16, once, so that later starts take seconds.

Runs as a child process (`python -m inference.models.gguf_to_safetensors`), because reading GGUF
needs several times the model's size in memory, and a process gives all of it back.
"""

import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.models.errors import ConversionFailed, Progress, Report

if TYPE_CHECKING:
    from inference.models.catalog import Packaged

SAMPLES = (
    "Hello, world!",
    "Straße, naïve café",
    "你好，世界",
    "def f(x):\n\treturn x ** 2\n",
    "🙂",
)


def in_child(gguf: Path, target: Path, packaged: "Packaged", report: Report) -> Path:
    """Write `target` from `gguf`, or raise ConversionFailed and leave nothing there."""
    shutil.rmtree(target, ignore_errors=True)
    wishes = {
        "tied_head": packaged.tied_head,
        "generation": dict(packaged.generation),
        "probe": packaged.probe,
    }
    command = [sys.executable, "-m", "inference.models.gguf_to_safetensors"]
    with (
        tempfile.TemporaryFile("w+") as complaints,
        subprocess.Popen(  # noqa: S603  # our own interpreter, our own arguments
            [*command, str(gguf), str(target), json.dumps(wishes)],
            env=os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
            stdin=subprocess.PIPE,  # stays open as long as we live: see `die_with_parent`
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
        ) as child,
    ):
        assert child.stdout is not None  # noqa: S101
        for step in child.stdout:
            report(Progress("convert", detail=step.strip()))
        if child.wait():
            shutil.rmtree(target, ignore_errors=True)
            complaints.seek(0)
            raise ConversionFailed(_explain(gguf, child.returncode, complaints.read()))
    return target


def _explain(gguf: Path, status: int, complaints: str) -> str:
    if status < 0:
        needed = gguf.stat().st_size * 6.5 / 1e9  # measured: 3.0 GB for 0.49 GB
        return (
            f"{gguf.name}: the conversion was killed by signal {-status}, as happens when memory "
            f"runs out. It takes about {needed:.1f} GB, once. What was downloaded is kept."
        )
    reason = (complaints.strip().splitlines() or [f"exit status {status}"])[-1]
    return (
        f"{gguf.name} could not be converted: {reason}. What was downloaded is kept. "
        "Are the extras installed? pip install 'commonroom[inference,models]'"
    )


def die_with_parent() -> None:
    """End this process when the one that started it is gone, however it went."""

    def wait() -> None:
        sys.stdin.read()  # returns when the other end is closed
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def main(arguments: list[str]) -> None:
    """The child: load, undo what GGUF did, save, and prove that the result works."""
    die_with_parent()
    print("loading the libraries", flush=True)
    import torch  # noqa: PLC0415  # heavy: only the child pays for it
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

    read_once()
    gguf, target, wishes = Path(arguments[0]), Path(arguments[1]), json.loads(arguments[2])
    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    print("reading GGUF", flush=True)
    tokenizer = AutoTokenizer.from_pretrained(**source)
    model = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.bfloat16)
    forget_quantisation(model)
    if wishes["tied_head"]:
        tie_head(model)
    model.generation_config.update(**wishes["generation"])
    tokenizer.model_max_length = model.config.max_position_embeddings
    print("writing safetensors", flush=True)
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
    for path in target.iterdir():
        path.chmod(0o644)  # safetensors come out readable by their owner alone
    del model
    print("asking the result a question", flush=True)
    prove(target, tokenizer, *wishes["probe"])


def read_once() -> None:
    """transformers reads the file's header three times, and makes a table of all names for each
    module; both take seconds, and come out the same every time."""
    import gguf  # noqa: PLC0415

    gguf.GGUFReader = functools.cache(gguf.GGUFReader)  # type: ignore[assignment, misc]
    gguf.get_tensor_name_map = functools.cache(gguf.get_tensor_name_map)


def forget_quantisation(model: Any) -> None:
    """The weights are plain bf16 now; otherwise `save_pretrained` would ask GGUF's quantiser."""
    model.hf_quantizer = None
    model.is_quantized = False
    for name in ("quantization_config", "_pre_quantization_dtype"):
        if hasattr(model.config, name):
            delattr(model.config, name)


def tie_head(model: Any) -> None:
    """One matrix for input and output, as upstream has it; the head's copy is the finer one."""
    model.config.tie_word_embeddings = True
    model.get_input_embeddings().weight = model.get_output_embeddings().weight


def prove(folder: Path, original: Any, question: str, expected: str) -> None:
    """The saved model loads, its tokenizer is the original's and its greedy answer makes sense."""
    import torch  # noqa: PLC0415
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

    tokenizer = AutoTokenizer.from_pretrained(folder)
    for text in SAMPLES:
        ids = tokenizer(text, add_special_tokens=False).input_ids
        if ids != original(text, add_special_tokens=False).input_ids:
            raise ValueError(f"the tokenizer changed: {text!r}")
        if tokenizer.decode(ids) != text:
            raise ValueError(f"the tokenizer does not round-trip: {text!r}")
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16)
    chat = [{"role": "user", "content": question}]
    prompt = tokenizer.apply_chat_template(
        chat, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    with torch.inference_mode():
        output = model.generate(**prompt, max_new_tokens=24, do_sample=False)
    answer = tokenizer.decode(output[0, prompt["input_ids"].shape[1] :])
    if expected not in answer:
        raise ValueError(f"{question!r} was answered {answer!r}")


if __name__ == "__main__":
    main(sys.argv[1:])

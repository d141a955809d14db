"""GGUF to safetensors in bf16, once, so that later starts take seconds.

Runs as a child process (`python -m inference.models.convert`), because reading GGUF needs several
times the model's size in memory, and a process gives all of it back.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.models.errors import ConversionFailed
from inference.models.progress import Progress, Report

if TYPE_CHECKING:
    from inference.models.table import Packaged

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
    report(Progress("convert", detail="GGUF to safetensors, once"))
    wishes = {
        "tied_head": packaged.tied_head,
        "generation": dict(packaged.generation),
        "probe": packaged.probe,
    }
    command = [sys.executable, "-m", "inference.models.convert"]
    child = subprocess.run(  # noqa: S603  # our own interpreter, our own arguments
        [*command, str(gguf), str(target), json.dumps(wishes)],
        env=os.environ | {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if child.returncode:
        shutil.rmtree(target, ignore_errors=True)
        lines = child.stderr.strip().splitlines() or [f"exit status {child.returncode}"]
        raise ConversionFailed(
            f"{gguf.name} could not be converted: {lines[-1]}. "
            "Is the extra `commonroom[inference,models]` installed, and is there memory enough?"
        )
    return target


def main(arguments: list[str]) -> None:
    """The child: load, undo what GGUF did, save, and prove that the result works."""
    import torch  # noqa: PLC0415  # heavy: only the child pays for it
    from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: PLC0415

    gguf, target, wishes = Path(arguments[0]), Path(arguments[1]), json.loads(arguments[2])
    source = {"pretrained_model_name_or_path": str(gguf.parent), "gguf_file": gguf.name}
    tokenizer = AutoTokenizer.from_pretrained(**source)
    model = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.bfloat16)
    forget_quantisation(model)
    if wishes["tied_head"]:
        tie_head(model)
    model.generation_config.update(**wishes["generation"])
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)
    prove(target, tokenizer, *wishes["probe"])


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

"""The models that are measured: real ones, or random weights with a real model's shape."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from inference.engines.device_placement import ONE_DEVICE, Placement
from inference.engines.model_loader import load
from inference.models import resolve

# Upper limits of the device.


def measure_limit(model: Any) -> dict[str, Any]:
    """Return the tokens per second of one request if a step only read the weights."""
    weights = sum(p.numel() * p.element_size() for p in _weights_of_step(model))
    return describe_limit("limit of one request", weights, measure_copy_bandwidth(model.device))


def describe_limit(what: str, weights: int, bandwidth: float) -> dict[str, Any]:
    """Return a row; `weights` in bytes, `bandwidth` in bytes per second."""
    return {
        "what": what,
        "tokens_s": round(bandwidth / weights, 1),
        "weights_GB": round(weights / 1e9, 2),
        "copy_TB_s": round(bandwidth / 1e12, 3),
    }


def name_device(model: Any) -> str:
    on_gpu = model.device.type == "cuda"
    return torch.cuda.get_device_name(model.device) if on_gpu else "cpu"


def _weights_of_step(model: Any) -> list[torch.Tensor]:
    """Return all weights except the embedding table, of which a step reads one row."""
    head = model.get_output_embeddings().weight
    table = model.get_input_embeddings().weight
    return [p for p in model.parameters() if p is not table or table is head]


def measure_copy_bandwidth(where: torch.device) -> float:
    """Return the bytes read and written per second by a copy far larger than any cache."""
    size = 2**31 if where.type == "cuda" else 2**28
    source = torch.randint(0, 255, (size,), dtype=torch.uint8, device=where)
    target = torch.empty_like(source)
    times = []
    for _ in range(10):
        _synchronize(where)
        begun = time.perf_counter()
        target.copy_(source)
        _synchronize(where)
        times.append(time.perf_counter() - begun)
    return 2 * size / median(times[2:])


def _synchronize(where: torch.device) -> None:
    if where.type == "cuda":
        torch.cuda.synchronize(where)


# InternLM2.5-7B as a Llama (its config.json at internlm/internlm2_5-7b-chat), and a model that fits
# any machine, to try the benchmark itself.
SHAPES: dict[str, dict[str, int]] = {
    "internlm2.5-7b": {
        "hidden_size": 4096,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "intermediate_size": 14336,
        "vocab_size": 92544,
    },
    "tiny": {
        "hidden_size": 256,
        "num_hidden_layers": 2,
        "num_attention_heads": 8,
        "num_key_value_heads": 4,
        "intermediate_size": 512,
        "vocab_size": 4096,
    },
}


CHAT_TEMPLATE = (
    "{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}"
    "{% if add_generation_prompt %}[assistant] {% endif %}"
)


def build(name: str | None, shape: str | None, placement: Placement = ONE_DEVICE) -> Any:
    """Create or load a model in bfloat16 on the fastest device, not yet adapted to it.

    The library handles other placements, from files; those models are ready to run.
    """
    if shape and placement in (ONE_DEVICE, Placement("fp8")):
        return _create_random_model(SHAPES[shape])
    with write_random_model(shape) if shape else nullcontext(name) as where:
        files = resolve(str(where))
        return load(files.folder, files.adapter, lambda _done, _what: None, placement).model


@contextmanager
def write_random_model(shape: str) -> Iterator[Path]:
    """Write random weights and a tokenizer with a word for each id; yield the folder."""
    with TemporaryDirectory() as folder:
        _create_random_model(SHAPES[shape]).save_pretrained(folder)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        _create_tokenizer(SHAPES[shape]["vocab_size"]).save_pretrained(folder)
        yield Path(folder)


def _create_tokenizer(vocabulary: int) -> PreTrainedTokenizerFast:
    """Create a tokenizer that encodes bytes and decodes any id of the vocabulary."""
    end = "<end>"
    signs = [*sorted(pre_tokenizers.ByteLevel.alphabet()), end]
    words = [*signs, *(f"Ġw{number}" for number in range(vocabulary - len(signs)))]
    raw = Tokenizer(BPE({word: number for number, word in enumerate(words)}, []))
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    raw.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=raw, eos_token=end, chat_template=CHAT_TEMPLATE)


def _create_random_model(shape: dict[str, int]) -> Any:
    config = LlamaConfig(
        **shape,
        max_position_embeddings=32768,
        tie_word_embeddings=False,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
        attn_implementation="sdpa",
    )
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
            model = LlamaForCausalLM(config)
    finally:
        torch.set_default_dtype(torch.float32)
    return model.eval().requires_grad_(False)

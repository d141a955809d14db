"""The models that are measured: real ones, or random weights of a real one's shape."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from inference.engines.device_placement import ONE_DEVICE, Placement
from inference.engines.model_loader import load
from inference.models import resolve

# InternLM2.5-7B as a Llama (its config.json at internlm/internlm2_5-7b-chat), and one that fits
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
    """A model in bfloat16 where this machine computes fastest, not yet changed for it.

    Other placements are the library's work, which wants files: those models are ready to run.
    """
    if shape and placement == ONE_DEVICE:
        return _create_random_model(SHAPES[shape])
    with write_random_model(shape) if shape else nullcontext(name) as where:
        files = resolve(str(where))
        return load(files.folder, files.adapter, lambda _done, _what: None, placement).model


@contextmanager
def write_random_model(shape: str) -> Iterator[Path]:
    """A folder with random weights of `shape`, and a tokenizer that has a word for each id."""
    with TemporaryDirectory() as folder:
        _create_random_model(SHAPES[shape]).save_pretrained(folder)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        _create_tokenizer(SHAPES[shape]["vocab_size"]).save_pretrained(folder)
        yield Path(folder)


def _create_tokenizer(vocabulary: int) -> PreTrainedTokenizerFast:
    """Reads byte by byte; what is written may be any of its words."""
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

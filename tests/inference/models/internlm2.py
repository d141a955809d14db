"""A tiny InternLM2 checkpoint with random weights, and its arithmetic written from the
definition (arXiv:2403.17297, section 2.2; RoFormer; RMSNorm; SwiGLU): nothing of ours, nothing of
transformers'."""

import io
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from safetensors.torch import save_file
from torch.nn.functional import silu

HIDDEN, HEADS, KEY_HEADS, INNER, LAYERS = 64, 4, 2, 96, 2
SIZE, SHARING = HIDDEN // HEADS, HEADS // KEY_HEADS
THETA, EPSILON = 1_000_000, 1e-5
SPECIAL = ("<|im_start|>", "<|im_end|>")
UNUSED = [f"[UNUSED_TOKEN_{n}]" for n in range(3)]

TEXT = """The sea is everything. It covers seven tenths of the terrestrial globe.
Its breath is pure and healthy. 海洋就是一切。 def f(x): return x ** 2  # naïve café
Hello, hello, world! What is two and two? It is four. La mer est tout. 你好，世界。"""
TEMPLATE = (
    "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

Weights = dict[str, torch.Tensor]


def train_tokenizer(*, leading_space: bool) -> bytes:
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT.splitlines()),
        model_writer=model,
        model_type="bpe",
        vocab_size=420,
        byte_fallback=True,
        character_coverage=0.98,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        add_dummy_prefix=leading_space,
        user_defined_symbols=UNUSED,
        minloglevel=2,
    )
    return model.getvalue()


def weights(vocabulary: int, *, biased: bool) -> Weights:
    random = torch.Generator().manual_seed(0)

    def new(*shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=random) / math.sqrt(shape[-1])

    made = {"model.tok_embeddings.weight": new(vocabulary, HIDDEN)}
    for n in range(LAYERS):
        layer = f"model.layers.{n}"
        rows = (HEADS + 2 * KEY_HEADS) * SIZE
        made |= {
            f"{layer}.attention.wqkv.weight": new(rows, HIDDEN) * 3,
            f"{layer}.attention.wo.weight": new(HIDDEN, HIDDEN),
            f"{layer}.feed_forward.w1.weight": new(INNER, HIDDEN),
            f"{layer}.feed_forward.w2.weight": new(HIDDEN, INNER),
            f"{layer}.feed_forward.w3.weight": new(INNER, HIDDEN),
            f"{layer}.attention_norm.weight": 1 + new(HIDDEN),
            f"{layer}.ffn_norm.weight": 1 + new(HIDDEN),
        }
        if biased:
            made |= {
                f"{layer}.attention.wqkv.bias": new(rows),
                f"{layer}.attention.wo.bias": new(HIDDEN),
            }
    return made | {"model.norm.weight": 1 + new(HIDDEN), "output.weight": new(vocabulary, HIDDEN)}


def save(folder: Path, *, biased: bool = False, leading_space: bool = True) -> Weights:
    """As the hub has it: two files of weights, SentencePiece, and code that nobody runs."""
    folder.mkdir(parents=True)
    model = train_tokenizer(leading_space=leading_space)
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model)
    made = weights(pieces.vocab_size(), biased=biased)
    names = sorted(made)
    for number, part in enumerate((names[::2], names[1::2]), 1):
        save_file({n: made[n] for n in part}, folder / f"model-0000{number}-of-00002.safetensors")
    (folder / "tokenizer.model").write_bytes(model)
    (folder / "modeling_internlm2.py").write_text("raise SystemExit('code of a checkpoint ran')\n")
    unused = {text: pieces.piece_to_id(name) for text, name in zip(SPECIAL, UNUSED, strict=False)}
    added = {"<unk>": 0, "<s>": 1, "</s>": 2} | unused
    _write(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "InternLM2Tokenizer",
            "auto_map": {"AutoTokenizer": ["tokenization_internlm2.InternLM2Tokenizer", None]},
            "added_tokens_decoder": {
                str(number): {"content": text, "special": True, "normalized": False}
                for text, number in added.items()
            },
            "additional_special_tokens": list(SPECIAL),
            "bos_token": "<s>",
            "eos_token": "</s>",
            "unk_token": "<unk>",
            "pad_token": "</s>",
            "chat_template": TEMPLATE,
        },
    )
    _write(folder / "generation_config.json", {"eos_token_id": [2, unused["<|im_end|>"]]})
    _write(
        folder / "config.json",
        {
            "architectures": ["InternLM2ForCausalLM"],
            "auto_map": {"AutoModelForCausalLM": "modeling_internlm2.InternLM2ForCausalLM"},
            "model_type": "internlm2",
            "bias": biased,
            "hidden_act": "silu",
            "hidden_size": HIDDEN,
            "intermediate_size": INNER,
            "max_position_embeddings": 256,
            "num_attention_heads": HEADS,
            "num_hidden_layers": LAYERS,
            "num_key_value_heads": KEY_HEADS,
            "rms_norm_eps": EPSILON,
            "rope_scaling": {"type": "dynamic", "factor": 2.0},
            "rope_theta": THETA,
            "tie_word_embeddings": False,
            "torch_dtype": "float32",
            "vocab_size": pieces.vocab_size(),
            "bos_token_id": 1,
            "eos_token_id": 2,
            "pad_token_id": 2,
        },
    )
    return made


def logits(made: Weights, ids: list[int]) -> torch.Tensor:
    """[tokens, vocabulary], in float32."""
    x = made["model.tok_embeddings.weight"][ids]
    for n in range(LAYERS):
        layer = {
            name.removeprefix(f"model.layers.{n}."): value
            for name, value in made.items()
            if name.startswith(f"model.layers.{n}.")
        }
        x = x + _attention(layer, _normalised(x, layer["attention_norm.weight"]))
        y = _normalised(x, layer["ffn_norm.weight"])
        gate, up = (y @ layer[f"feed_forward.{w}.weight"].T for w in ("w1", "w3"))
        x = x + (silu(gate) * up) @ layer["feed_forward.w2.weight"].T
    return _normalised(x, made["model.norm.weight"]) @ made["output.weight"].T


def _attention(layer: Weights, x: torch.Tensor) -> torch.Tensor:
    tokens = len(x)
    qkv = x @ layer["attention.wqkv.weight"].T + layer.get("attention.wqkv.bias", 0)
    # Of each key head: the queries that share it, its key, its value.
    groups = qkv.view(tokens, KEY_HEADS, SHARING + 2, SIZE)
    mask = torch.full((tokens, tokens), float("-inf")).triu(1)
    heads = []
    for key_head in range(KEY_HEADS):
        key, value = _rotated(groups[:, key_head, -2]), groups[:, key_head, -1]
        for shared in range(SHARING):
            query = _rotated(groups[:, key_head, shared])
            heads.append((query @ key.T / math.sqrt(SIZE) + mask).softmax(-1) @ value)
    joined = torch.cat(heads, dim=-1)
    return joined @ layer["attention.wo.weight"].T + layer.get("attention.wo.bias", 0)


def _rotated(x: torch.Tensor) -> torch.Tensor:
    """Of `x` [tokens, SIZE], dimension i turns with i + SIZE/2 by position · theta^(-2i/SIZE)."""
    half = SIZE // 2
    speeds = torch.tensor([THETA ** (-2 * i / SIZE) for i in range(half)])
    angles = torch.arange(len(x))[:, None] * speeds
    cos, sin = angles.cos(), angles.sin()
    a, b = x[:, :half], x[:, half:]
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


def _normalised(x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
    return x * (x.square().mean(-1, keepdim=True) + EPSILON).rsqrt() * scale


def _write(path: Path, value: dict[str, Any]) -> None:
    path.write_text(json.dumps(value))


def texts() -> Iterator[str]:
    yield from TEXT.splitlines()
    yield from ("Hello, world!", " two  spaces ", "Straße 🙂", "def f(x):\n\treturn x", "", "海")

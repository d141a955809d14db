"""A vision tower for llama.cpp that sees nothing, for it was never trained: a picture of any size
goes through the server's whole way, and costs 16 tokens."""

from pathlib import Path

import gguf
import numpy as np

WIDTH, INNER, SIDE, PATCH = 32, 64, 56, 14
PATCHES = (SIDE // PATCH) ** 2
SMOLLM2_WIDTH = 576


def write(path: Path, text_width: int = SMOLLM2_WIDTH) -> Path:
    """LLaVA's shape, one layer, for a model whose embeddings have `text_width` numbers."""
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_bool("clip.has_vision_encoder", True)
    writer.add_bool("clip.use_gelu", True)
    writer.add_string("clip.projector_type", "mlp")
    for name, number in {
        "image_size": SIDE,
        "patch_size": PATCH,
        "embedding_length": WIDTH,
        "feed_forward_length": INNER,
        "projection_dim": text_width,
        "block_count": 1,
        "attention.head_count": 2,
    }.items():
        writer.add_uint32(f"clip.vision.{name}", number)
    writer.add_float32("clip.vision.attention.layer_norm_epsilon", 1e-5)
    for name in ("image_mean", "image_std"):
        writer.add_array(f"clip.vision.{name}", [0.5] * 3)
    numbers = np.random.default_rng(0)
    for name, shape in _tensors(text_width).items():
        writer.add_tensor(name, (numbers.standard_normal(shape) * 0.02).astype(np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _tensors(text_width: int) -> dict[str, tuple[int, ...]]:
    weights = {
        **{f"v.blk.0.attn_{part}": (WIDTH, WIDTH) for part in ("q", "k", "v", "out")},
        "v.blk.0.ffn_up": (INNER, WIDTH),
        "v.blk.0.ffn_down": (WIDTH, INNER),
        "mm.0": (text_width, WIDTH),
        "mm.2": (text_width, text_width),
        **{f"v.{norm}": (WIDTH,) for norm in ("pre_ln", "post_ln", "blk.0.ln1", "blk.0.ln2")},
    }
    return {
        "v.patch_embd.weight": (WIDTH, 3, PATCH, PATCH),
        "v.class_embd": (WIDTH,),
        "v.position_embd.weight": (PATCHES + 1, WIDTH),
        **{f"{name}.weight": shape for name, shape in weights.items()},
        **{f"{name}.bias": shape[:1] for name, shape in weights.items()},
    }

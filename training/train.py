"""`python -m training.train --seconds 330 --out FOLDER`: trains the vision model of the project.

A model of InternVL's architecture with six million parameters is trained on scenes that are drawn
meanwhile, each used once. The questions of the evaluation come from other seeds. Training takes
minutes on a GPU; `--seconds 60` on a CPU tests that everything runs.
"""

import argparse
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoTokenizer,
    GenerationConfig,
    InternVLConfig,
    InternVLForConditionalGeneration,
    InternVLVisionConfig,
    Qwen2Config,
)

from training import model_card
from training.auxiliary_loss import AuxiliaryLoss
from training.dataloader import Batch, stream_batches
from training.evaluate import evaluate
from training.templates import UNKNOWN
from training.tokenizer import CONTEXT, train_tokenizer
from training.train_step import MEAN, STD, Gradients

SIDE = 128  # pixels
PATCH = 8
SHRINK = 2  # patches in each direction that become one token
IMAGE_TOKENS = (SIDE // PATCH // SHRINK) ** 2
CONTEXT_TOKENS = 384  # longer conversations are not trained

PLACE_SCALE = 0.25
WARM_UP = 300  # steps
DECAY = 0.05


@dataclass(frozen=True)
class TrainingConfig:
    seconds: float
    peak: float
    batch: int
    workers: int
    seed: int
    device: str


def main() -> None:
    arguments = _parser().parse_args()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    plan = TrainingConfig(
        seconds=arguments.seconds,
        peak=arguments.peak,
        batch=arguments.batch,
        workers=arguments.workers,
        seed=arguments.seed,
        device=device,
    )
    torch.manual_seed(plan.seed)
    tokenizer, model = _load_or_build(arguments.begin, plan.seed, arguments.words)
    model = model.to(device)
    steps = train(model, tokenizer, plan)
    save(model, tokenizer, arguments.out)
    scores = evaluate(arguments.out, arguments.questions, seed=plan.seed, device=device)
    written = model_card.render_card(
        scores,
        parameters=model.num_parameters(),
        samples=steps * plan.batch,
        seed=plan.seed,
        unknown=UNKNOWN,
        context=CONTEXT_TOKENS,
        image_tokens=IMAGE_TOKENS,
        side=SIDE,
    )
    (arguments.out / "README.md").write_text(written, "utf-8")
    print(model_card.render_scores(scores))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m training.train", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the model's folder")
    parser.add_argument("--begin", type=Path, help="with the eye in this folder, not from nothing")
    parser.add_argument("--seconds", type=float, default=330)
    parser.add_argument("--peak", type=float, default=2e-3, help="of the learning rate")
    parser.add_argument("--batch", type=int, default=512, help="samples a step")
    parser.add_argument("--workers", type=int, default=14, help="processes that draw")
    parser.add_argument("--words", type=int, default=20_000, help="samples for the tokenizer")
    parser.add_argument("--questions", type=int, default=1_000, help="of each kind, at the end")
    parser.add_argument("--seed", type=int, default=8)
    return parser


def _load_or_build(folder: Path | None, seed: int, samples: int) -> tuple[Any, Any]:
    if folder is None:
        tokenizer = train_tokenizer(seed, samples)
        return tokenizer, build_model(tokenizer)
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = InternVLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    return tokenizer, model


def build_model(tokenizer: Any) -> Any:
    """Build the untrained model: a vision tower, InternVL's projector and a Qwen2 decoder."""
    vision = InternVLVisionConfig(
        hidden_size=192,
        num_hidden_layers=6,
        num_attention_heads=6,
        intermediate_size=768,
        image_size=[SIDE, SIDE],
        patch_size=[PATCH, PATCH],
        layer_scale_init_value=0.1,
    )
    text = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=256,
        intermediate_size=576,
        num_hidden_layers=4,
        num_attention_heads=8,
        num_key_value_heads=4,
        max_position_embeddings=CONTEXT_TOKENS,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    config = InternVLConfig(
        vision_config=vision.to_dict(),
        text_config=text.to_dict(),
        image_token_id=tokenizer.convert_tokens_to_ids(CONTEXT),
        image_seq_length=IMAGE_TOKENS,
        downsample_ratio=1 / SHRINK,
        tie_word_embeddings=True,
    )
    model = InternVLForConditionalGeneration(config)
    embeddings = model.model.vision_tower.embeddings
    embeddings.position_embeddings.data[0, 1:] = PLACE_SCALE * encode_positions(SIDE // PATCH, 192)
    return model


def encode_positions(side: int, width: int) -> torch.Tensor:
    """Return sinusoids of a patch's column and row [side², width], as in the Vision Transformer.

    The library starts with zeros, from which small models need very long to learn directions.
    """
    frequencies = 100.0 ** (-torch.arange(width // 4) / (width // 4))
    angles = torch.arange(side)[:, None] * frequencies
    waves = torch.cat([angles.sin(), angles.cos()], dim=1)
    columns = waves[None].expand(side, side, -1)
    rows = waves[:, None].expand(side, side, -1)
    return torch.cat([columns, rows], dim=2).reshape(side * side, width)


def train(model: Any, tokenizer: Any, plan: TrainingConfig) -> int:
    """Train until the time is over; return the number of steps."""
    auxiliary = AuxiliaryLoss(model.config.text_config.hidden_size).to(plan.device)
    optimizers = _create_optimizers(model, auxiliary, plan)
    batches = stream_batches(
        tokenizer,
        batch=plan.batch,
        side=SIDE,
        image_tokens=IMAGE_TOKENS,
        longest=CONTEXT_TOKENS,
        workers=plan.workers,
        seed=plan.seed,
    )
    model.train()
    gradients = Gradients(model, auxiliary, next(batches))
    begun = time.monotonic()
    for step, batch in enumerate(_limit_time(batches, plan.seconds), 1):
        share = min((time.monotonic() - begun) / plan.seconds, 1.0)
        loss = gradients.compute(batch)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            for group in optimizer.param_groups:
                group["lr"] = plan.peak * min(step / WARM_UP, 1.0) * _cosine_decay(share)
            optimizer.step()
        if step % 100 == 0:
            passed = time.monotonic() - begun
            print(f"{step} steps, {passed:.0f} s, loss {loss.item():.4f}", flush=True)
    return step


def _create_optimizers(
    model: Any, auxiliary: AuxiliaryLoss, plan: TrainingConfig
) -> list[torch.optim.Optimizer]:
    """Create Muon (Jordan 2024) for the layers' matrices, AdamW for the rest."""
    layers = [model.model.vision_tower.encoder, model.model.language_model.layers]
    matrices = [p for layer in layers for p in layer.parameters() if p.dim() == 2]
    known = set(map(id, matrices))
    others = [p for p in [*model.parameters(), *auxiliary.parameters()] if id(p) not in known]
    return [
        torch.optim.Muon(
            matrices, lr=plan.peak, weight_decay=DECAY, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.AdamW(
            others, lr=plan.peak, betas=(0.9, 0.98), weight_decay=DECAY, fused=plan.device != "cpu"
        ),
    ]


def _limit_time(batches: Iterator[Batch], seconds: float) -> Iterator[Batch]:
    begun = time.monotonic()
    for batch in batches:
        yield batch
        if time.monotonic() - begun > seconds:
            return


def _cosine_decay(share: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * share))


def save(model: Any, tokenizer: Any, folder: Path) -> None:
    """Save a folder like InternVL's, in float16."""
    model.eval().half().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    # Greedy: a question about a scene has one answer.
    GenerationConfig(
        do_sample=True,
        top_k=1,
        repetition_penalty=1.0,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    ).save_pretrained(folder)
    model_card.write_processor(folder, side=SIDE, image_tokens=IMAGE_TOKENS, mean=MEAN, std=STD)


if __name__ == "__main__":
    main()

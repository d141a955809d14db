"""The files beside the model's weights: its card, and the image processor's settings."""

import json
from pathlib import Path

from training.evaluate import Scores

RGB = tuple[float, float, float]

CARD = """\
---
license: apache-2.0
pipeline_tag: image-text-to-text
---
# The eye

A very small model that answers questions about pictures, so that everything about pictures can be
tried and tested without a GPU and without a download. Its architecture is InternVL's (a vision
tower, a projector and a Qwen2 decoder; {millions:.1f} million parameters, float16), and it is
loaded in just the way of `OpenGVLab/InternVL3_5-*-HF`.

## What it can

It has seen nothing but generated scenes: up to six shapes (circle, square, triangle, star,
diamond, hexagon, heart, cross) in eleven colours on a plain ground, or a number of up to four
digits. It tells colours, shapes, places, sizes and numbers, counts, answers yes or no, and
describes. Two pictures in one conversation can be told apart, and questions may follow each other
("What is the biggest shape?", "And where is it?").

## What it cannot

Everything else. It knows no photographs, no text, no hands and no faces, no other language than
English, and no instructions: a persona or a system prompt does not reach it. It was taught to say
"{unknown}" about other things, and does so most of the
time, not always. Conversations end after {context} tokens; a picture takes {image_tokens} of them,
and two more, whatever its size: it is drawn to {side} by {side} pixels.

## How it was made

`python -m training.train --out FOLDER` drew {samples:,} conversations, no scene twice
(seed {seed}).
No data from elsewhere went into it.

## Scores

On scenes from other seeds, greedily, in bfloat16; an answer counts when every letter of it is
right. "unknown" are questions that it must not answer, "which" is asked of two pictures.

{scores}
"""


def render_card(
    scores: Scores,
    *,
    parameters: int,
    samples: int,
    seed: int,
    unknown: str,
    context: int,
    image_tokens: int,
    side: int,
) -> str:
    return CARD.format(
        millions=parameters / 1e6,
        samples=samples,
        seed=seed,
        unknown=unknown,
        context=context,
        image_tokens=image_tokens,
        side=side,
        scores=render_scores(scores),
    )


def render_scores(scores: Scores) -> str:
    rows = [
        f"| {kind} | {right / number:.1%} | {right} of {number} |"
        for kind, (right, number) in scores.items()
    ]
    return "\n".join(["| kind | right | |", "|---|---|---|", *rows])


def write_processor(folder: Path, *, side: int, image_tokens: int, mean: RGB, std: RGB) -> None:
    """Write the processor's files, like those of InternVL3.5 with other numbers."""
    image_processor = {
        "image_processor_type": "GotOcr2ImageProcessorFast",
        "processor_class": "InternVLProcessor",
        "crop_to_patches": False,
        "do_convert_rgb": True,
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": mean,
        "image_std": std,
        "max_patches": 1,
        "min_patches": 1,
        "resample": 3,
        "rescale_factor": 1 / 255,
        "size": {"height": side, "width": side},
    }
    processor = {"image_seq_length": image_tokens, "processor_class": "InternVLProcessor"}
    for name, content in (
        ("preprocessor_config.json", image_processor),
        ("processor_config.json", processor),
    ):
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", "utf-8")

"""`python -m training.publish --out FOLDER`: draws scenes with questions, as `bench vision` does.

Every scene has one question; the kinds alternate. The model was not trained with this seed.
"""

import argparse
import json
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from random import Random

from training.questions import SceneQuestion, ask_kind
from training.scenes import Scene, draw_scene, random_scene, random_size

COUNT, SEED = 240, 1
KINDS = ("color", "shape", "count", "position", "yesno", "digits", "size", "describe")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training.publish", description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    draw_set(arguments.out, arguments.count, arguments.seed)


def draw_set(folder: Path, count: int = COUNT, seed: int = SEED) -> None:
    """Draw the pictures and write `questions.jsonl` beside them, the same for the same seed."""
    rng = Random(f"published {seed}")
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number, (scene, asked) in enumerate(islice(_generate_questions(rng), count)):
        name = f"{number:03}.png"
        image = draw_scene(scene, random_size(rng))
        image.quantize(64).save(folder / name, optimize=True)
        row = {"picture": name, "question": asked.question, "answers": [asked.answer.rstrip(".")]}
        lines.append(json.dumps({**row, "kind": asked.kind}))
    (folder / "questions.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


def _generate_questions(rng: Random) -> Iterator[tuple[Scene, SceneQuestion]]:
    """Yield scenes with questions; kinds alternate, and so do yes and no."""
    wanted = cycle(("Yes", "No"))
    for kind in cycle(KINDS):
        answer = next(wanted) if kind == "yesno" else None
        while True:
            scene = random_scene(rng)
            asked = ask_kind(rng, scene, kind)
            if asked and answer in (None, asked.answer):
                yield scene, asked
                break


if __name__ == "__main__":
    main()

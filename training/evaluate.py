"""Evaluates the saved model on new scenes, by kind of question."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from transformers import AutoImageProcessor, AutoModelForImageTextToText, AutoTokenizer

from training.samples import Sample, random_sample
from training.tokenizer import IGNORED, encode

AT_ONCE = 200
LONGEST_ANSWER = 64  # tokens
KINDS = (
    *("color", "shape", "count", "position", "size", "yesno", "digits", "describe"),
    *("which", "unknown", "blank"),
)


@dataclass(frozen=True)
class ExamQuestion:
    """The last question of a conversation."""

    sample: Sample

    @property
    def kind(self) -> str:
        return self.sample.turns[-1].kind

    @property
    def answer(self) -> str:
        return self.sample.turns[-1].answer


Scores = dict[str, tuple[int, int]]  # right, of how many


def evaluate(folder: Path, of_each: int, *, seed: int, device: str) -> Scores:
    """Score the model; an answer must be right to the letter."""
    examiner = _Evaluator(folder, device)
    asked = list(_generate_questions(of_each, Random(f"held out {seed}")))
    scores: Scores = {}
    for at in range(0, len(asked), AT_ONCE):
        some = asked[at : at + AT_ONCE]
        for question, answer in zip(some, examiner.answers(some), strict=True):
            right, number = scores.get(question.kind, (0, 0))
            scores[question.kind] = (right + (answer == question.answer), number + 1)
    return {kind: scores[kind] for kind in KINDS if kind in scores}


def _generate_questions(of_each: int, rng: Random) -> Iterator[ExamQuestion]:
    left = dict.fromkeys(KINDS, of_each)
    while any(left.values()):
        sample = random_sample(rng)
        end = rng.randint(1, len(sample.turns))
        shown = sum(turn.pictures for turn in sample.turns[:end])
        question = ExamQuestion(
            Sample(sample.images[:shown], sample.turns[:end], first=sample.first)
        )
        if left[question.kind]:
            left[question.kind] -= 1
            yield question


class _Evaluator:
    def __init__(self, folder: Path, device: str) -> None:
        self._device = device
        self._tokenizer = AutoTokenizer.from_pretrained(folder)
        self._processor = AutoImageProcessor.from_pretrained(folder)
        model = AutoModelForImageTextToText.from_pretrained(folder, dtype=torch.bfloat16)
        self._model = model.to(device).eval()

    def answers(self, questions: Sequence[ExamQuestion]) -> list[str]:
        prompts = [self._prompt(question) for question in questions]
        length, pad = max(map(len, prompts)), self._tokenizer.pad_token_id
        padded = [[pad] * (length - len(ids)) + ids for ids in prompts]
        mask = [[0] * (length - len(ids)) + [1] * len(ids) for ids in prompts]
        images = [image for question in questions for image in question.sample.images]
        with torch.inference_mode():
            output = self._model.generate(
                input_ids=torch.tensor(padded, device=self._device),
                attention_mask=torch.tensor(mask, device=self._device),
                pixel_values=self._pixels(images),
                max_new_tokens=LONGEST_ANSWER,
                do_sample=False,
                top_k=None,
            )
        answers = self._tokenizer.batch_decode(output[:, length:], skip_special_tokens=True)
        return [str(answer).strip() for answer in answers]

    def _prompt(self, question: ExamQuestion) -> list[int]:
        ids, labels = encode(self._tokenizer, question.sample, self._model.config.image_seq_length)
        last_question = max(
            i for i, label in enumerate(labels[:-1]) if self._starts_answer(labels, i)
        )
        return ids[: last_question + 1]

    def _starts_answer(self, labels: list[int], at: int) -> bool:
        """Return whether an answer starts after this position."""
        return labels[at] == IGNORED and labels[at + 1] != IGNORED

    def _pixels(self, images: list[Any]) -> torch.Tensor | None:
        if not images:
            return None
        pixels = self._processor(images=images, return_tensors="pt")["pixel_values"]
        return torch.as_tensor(pixels).to(self._device, torch.bfloat16)

"""The model's tokenizer: bytes and frequent words of the samples, in InternVL's chat markup."""

from collections.abc import Iterator
from functools import lru_cache
from random import Random
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from training.samples import Sample, random_sample

VOCABULARY = 1_024
END = "<|endoftext|>"
TURN, TURN_END = "<|im_start|>", "<|im_end|>"
IMAGE, IMAGE_END, CONTEXT, VIDEO = "<img>", "</img>", "<IMG_CONTEXT>", "<video>"
IGNORED = -100  # label of tokens that are not learned
SPECIAL = (END, TURN, TURN_END, IMAGE, IMAGE_END, CONTEXT, VIDEO)

# InternVL's, without system messages: the model takes no instructions.
CHAT_TEMPLATE = (
    "{% for message in messages %}{% if message['role'] != 'system' %}"
    "{{ '<|im_start|>' + message['role'] + '\n' }}"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ '<IMG_CONTEXT>\n' }}"
    "{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}{{ '<|im_end|>\n' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def train_tokenizer(seed: int, samples: int) -> Any:
    """Train a tokenizer on the texts of so many samples."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"\d"), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_generate_texts(seed, samples), trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=TURN_END,
        pad_token=END,
        padding_side="left",
        chat_template=CHAT_TEMPLATE,
        clean_up_tokenization_spaces=False,
        extra_special_tokens={
            "start_image_token": IMAGE,
            "end_image_token": IMAGE_END,
            "context_image_token": CONTEXT,
            "video_token": VIDEO,
        },
    )


def _generate_texts(seed: int, samples: int) -> Iterator[str]:
    rng = Random(f"words {seed}")
    for _ in range(samples):
        for turn in random_sample(rng).turns:
            yield f"user\nImage-1: \n{turn.question}"
            yield f"assistant\n{turn.answer}"


def encode(tokenizer: Any, sample: Sample, image_tokens: int) -> tuple[list[int], list[int]]:
    """Return the ids of the conversation, and the same as labels with IGNORED outside answers."""
    ids: list[int] = []
    labels: list[int] = []
    number = sample.first
    for turn in sample.turns:
        numbers = range(number, number := number + turn.pictures)
        images = "".join(f"Image-{n}: {IMAGE}{CONTEXT}{IMAGE_END}\n" for n in numbers)
        asked = f"{TURN}user\n{images}{turn.question}{TURN_END}\n{TURN}assistant\n"
        question = _expand_image_tokens(_encode_text(tokenizer, asked), tokenizer, image_tokens)
        answer, after = (
            _known_ids(tokenizer, f"{turn.answer}{TURN_END}"),
            _known_ids(tokenizer, "\n"),
        )
        ids += [*question, *answer, *after]
        labels += [*[IGNORED] * len(question), *answer, *[IGNORED] * len(after)]
    return ids, labels


def _expand_image_tokens(ids: list[int], tokenizer: Any, image_tokens: int) -> list[int]:
    """Repeat each image's token as often as the image has tokens."""
    context: int = tokenizer.backend_tokenizer.token_to_id(CONTEXT)
    wide: list[int] = []
    for token in ids:
        wide += [token] * (image_tokens if token == context else 1)
    return wide


def _encode_text(tokenizer: Any, text: str) -> list[int]:
    """Encode without the library's wrapper, which takes ten times as long."""
    ids: list[int] = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
    return ids


_known_ids = lru_cache(maxsize=100_000)(_encode_text)

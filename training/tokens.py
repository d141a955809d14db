"""The eye's tokenizer: bytes, and the words of its lessons, in the markup of InternVL's chat."""

from collections.abc import Iterator
from random import Random
from typing import Any

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from training.lessons import Lesson, random_lesson

VOCABULARY = 1_024
END = "<|endoftext|>"
TURN, TURN_END = "<|im_start|>", "<|im_end|>"
IMAGE, IMAGE_END, CONTEXT, VIDEO = "<img>", "</img>", "<IMG_CONTEXT>", "<video>"
SPECIAL = (END, TURN, TURN_END, IMAGE, IMAGE_END, CONTEXT, VIDEO)

# As InternVL's, but for the system's message: the eye takes no instructions.
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


def make_tokenizer(seed: int, lessons: int) -> Any:
    """Learned from the texts of that many lessons."""
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
    tokenizer.train_from_iterator(_texts(seed, lessons), trainer)
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


def _texts(seed: int, lessons: int) -> Iterator[str]:
    rng = Random(f"words {seed}")
    for _ in range(lessons):
        for turn in random_lesson(rng).turns:
            yield f"user\nImage-1: \n{turn.question}"
            yield f"assistant\n{turn.answer}"


def encode(tokenizer: Any, lesson: Lesson, image_tokens: int) -> tuple[list[int], list[int]]:
    """Ids of the whole conversation, and the same with -100 wherever nothing is to be learned."""
    ids: list[int] = []
    labels: list[int] = []
    shown = 0
    for turn in lesson.turns:
        images = ""
        for _ in range(turn.pictures):
            shown += 1
            images += f"Image-{shown}: {IMAGE}{CONTEXT * image_tokens}{IMAGE_END}\n"
        asked = f"{TURN}user\n{images}{turn.question}{TURN_END}\n{TURN}assistant\n"
        question = _ids(tokenizer, asked)
        answer = _ids(tokenizer, f"{turn.answer}{TURN_END}")
        after = _ids(tokenizer, "\n")
        ids += [*question, *answer, *after]
        labels += [*[-100] * len(question), *answer, *[-100] * len(after)]
    return ids, labels


def _ids(tokenizer: Any, text: str) -> list[int]:
    """Past the library's wrapper, which takes ten times as long."""
    ids: list[int] = tokenizer.backend_tokenizer.encode(text, add_special_tokens=False).ids
    return ids

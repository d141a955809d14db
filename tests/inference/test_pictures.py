"""Which pictures of a conversation are shown to the model."""

from inference.chat_attempt import Prompt, compose
from inference.engines.base import Message
from inference.engines.scripted import ScriptedEngine
from jobqueue.history import MAX_IMAGES, LoadedHistory
from jobqueue.schema import Attachment, Turn
from tests.jobqueue.support import make_job

PICTURE_TOKENS = 100


class Seeing(ScriptedEngine):
    capabilities = frozenset({"chat", "vision"})

    async def count_tokens(self, messages: tuple[Message, ...]) -> int:
        pictures = sum(len(message.images) for message in messages)
        return await super().count_tokens(messages) + PICTURE_TOKENS * pictures


class Past:
    def __init__(self, *turns: Turn) -> None:
        self.turns = turns

    async def load(
        self, channel: str, budget_tokens: int | None, parent: str | None
    ) -> LoadedHistory:
        return LoadedHistory(self.turns)

    async def get_turn(self, channel: str, job: str) -> Turn | None:
        return None


class Kept:
    """Bytes by their name; what begins with `gone` has expired."""

    async def get(self, name: str) -> bytes | None:
        return None if name.startswith("gone") else name.encode()


def posted(*names: str) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(sha256=name, name=f"{name}.png", media_type="image/png", size=1)
        for name in names
    )


def turn(number: int, *names: str) -> Turn:
    return Turn(
        job=f"j{number}",
        user="ada",
        user_name="Ada",
        prompt=f"q{number}",
        answer="a",
        attachments=posted(*names),
    )


async def composed(*turns: Turn, now: tuple[str, ...] = (), context: int = 10_000) -> Prompt:
    job = make_job("now", prompt="what?", attachments=posted(*now))
    engine = Seeing(context_tokens=context)
    return await compose(job, Past(*turns), engine, system="be brief", blobs=Kept())


def shown(prompt: Prompt) -> list[tuple[str, str]]:
    return [(i.label, i.data.decode()) for message in prompt.messages for i in message.images]


async def test_pictures_are_numbered_through_the_conversation() -> None:
    prompt = await composed(turn(1, "a", "b"), turn(2), turn(3, "c"), now=("d",))
    assert shown(prompt) == [
        ("Image-1", "a"),
        ("Image-2", "b"),
        ("Image-3", "c"),
        ("Image-4", "d"),
    ]
    assert prompt.unseen_pictures == 0


async def test_a_question_about_an_earlier_picture_brings_it_along() -> None:
    prompt = await composed(turn(1, "a"))
    assert [len(message.images) for message in prompt.messages] == [0, 1, 0, 0]


async def test_what_expired_is_counted() -> None:
    prompt = await composed(turn(1, "gone1"), turn(2, "b"), now=("gone2", "c"))
    assert shown(prompt) == [("Image-1", "b"), ("Image-2", "c")]
    assert prompt.unseen_pictures == 2


async def test_old_pictures_go_before_the_words_of_their_turns() -> None:
    prompt = await composed(turn(1, "a"), turn(2, "b"), now=("c",), context=400)
    assert shown(prompt) == [("Image-1", "b"), ("Image-2", "c")]
    assert "q1" in [message.content for message in prompt.messages]
    assert (prompt.unseen_pictures, prompt.omitted_turns) == (1, 0)


async def test_only_the_newest_are_shown_of_very_many() -> None:
    prompt = await composed(*(turn(number, str(number)) for number in range(MAX_IMAGES + 3)))
    assert [name for _, name in shown(prompt)] == [
        str(number) for number in range(3, MAX_IMAGES + 3)
    ]
    assert prompt.unseen_pictures == 3


async def test_a_model_without_eyes_is_shown_none() -> None:
    past = Past(turn(1, "a"))
    prompt = await compose(make_job("now"), past, ScriptedEngine(), system="be brief", blobs=Kept())
    assert shown(prompt) == []
    assert prompt.unseen_pictures == 0

import pytest

from inference.engines.base import BadRequest, EngineFailed, PromptTooLong
from inference.engines.scripted import ScriptedEngine, tokenize
from jobqueue.schema import FinishReason
from tests.inference.support import Asker, text_of


@pytest.fixture
def asker() -> Asker:
    return Asker(ScriptedEngine())


@pytest.mark.parametrize("prompt", ["hello", "  two\n\nlines ", "海の話 🌊", "!delay 0ms x"])
async def test_the_answer_is_the_turn_and_the_prompt_as_it_stands(
    asker: Asker, prompt: str
) -> None:
    chunks = await asker.chunks(prompt)
    assert text_of(chunks) == f"[turn 1] {prompt}"
    assert all(len(chunk.text) < 12 for chunk in chunks)


async def test_turns_are_counted_from_the_messages_given(asker: Asker) -> None:
    chunks = await asker.chunks("one", "[turn 1] one", "two", "[turn 2] two", "three")
    assert text_of(chunks) == "[turn 3] three"


async def test_tokens_are_filled_up_with_numbered_words(asker: Asker) -> None:
    chunks = await asker.chunks("go !tokens 500")
    text, last = text_of(chunks), chunks[-1]
    assert text.startswith("[turn 1] go !tokens 500 word1 word2 ")
    assert last.usage is not None
    assert last.usage.completion_tokens == 500
    assert text.count("word") == 500 - len(tokenize("[turn 1] go !tokens 500"))


async def test_only_the_last_chunk_carries_reason_and_usage(asker: Asker) -> None:
    *others, last = await asker.chunks("hello", max_tokens=3)
    assert last.finish_reason is FinishReason.LENGTH
    assert not any(chunk.finish_reason or chunk.usage for chunk in others)


async def test_a_stop_string_ends_it(asker: Asker) -> None:
    chunks = await asker.chunks("one two three", stop=("two",))
    assert text_of(chunks) == "[turn 1] one "
    assert chunks[-1].finish_reason is FinishReason.STOP


@pytest.mark.parametrize(("prompt", "error"), [("!fail", EngineFailed), ("!refuse", BadRequest)])
async def test_it_fails_on_request(asker: Asker, prompt: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        await asker.chunks(prompt)


async def test_a_prompt_beyond_the_context_is_refused() -> None:
    asker = Asker(ScriptedEngine(context_tokens=10))
    with pytest.raises(PromptTooLong) as refused:
        await asker.chunks("word " * 20)
    assert (refused.value.tokens, refused.value.limit) == (21, 10)

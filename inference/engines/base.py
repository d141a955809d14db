"""The interface between the worker and an engine.

An engine is asked with a `Request` and answers with `Chunk`s. Aborting is closing the iterator:
the engine then frees the slot within two decode steps. An engine validates everything before
the model sees it, so that one bad request never harms another.

    EngineError
    ├── BadRequest     this request can never work; others are unharmed
    │   ├── PromptTooLong       the prompt alone exceeds the model's context
    │   └── UnsupportedRequest  it asks for what this model cannot do
    ├── EngineFailed   the engine itself failed; the job may be tried again
    └── CannotLoad     there is no engine to ask: said to the operator, with the way out
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self

from jobqueue.schema import FinishReason, Sampling, WorkerPhase

# `tool` and `environment` (InternLM) tell what a call came to. The tool parser chooses which one.
Role = Literal["system", "user", "assistant", "tool", "environment"]


class EngineError(Exception):
    """Base of everything an engine raises on purpose."""


class BadRequest(EngineError):
    """The request can never work; nothing reached the model."""


class PromptTooLong(BadRequest):
    def __init__(self, tokens: int, limit: int) -> None:
        super().__init__(f"{tokens} tokens, the context takes {limit}")
        self.tokens = tokens
        self.limit = limit


class UnsupportedRequest(BadRequest):
    """The model cannot do what the request asks for."""


class EngineFailed(EngineError):
    """The engine failed through no fault of the request."""


class CannotLoad(EngineError):
    """The engine or its model cannot be brought up."""


@dataclass(frozen=True, slots=True)
class Image:
    """A still picture as the bot keeps it: checked, upright, opaque and of a bounded size."""

    data: bytes = field(repr=False)  # of a PNG or a JPEG file
    media_type: str  # "image/png" or "image/jpeg"
    label: str = ""  # what the conversation calls it where it has several: "Image-2"


@dataclass(frozen=True, slots=True)
class NativeToolCall:
    """A call that an engine told apart from the text it came with."""

    tool: str
    arguments: str  # JSON of an object


@dataclass(frozen=True, slots=True)
class Message:
    role: Role
    content: str  # text, never structure: special tokens in it are plain characters
    images: tuple[Image, ...] = ()  # before the text, each behind its label and a colon
    tool_call: NativeToolCall | None = None  # the assistant's, after its text


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool that the model may call."""

    name: str
    description: str
    parameters: Mapping[str, Any]  # JSON Schema of an object


@dataclass(frozen=True, slots=True)
class Request:
    id: str  # unique per attempt
    channel: str
    # Ends with the user's question, or with the beginning of its answer, which is then written on:
    # its text comes right after the template's head of an answer, and nothing ends it.
    messages: tuple[Message, ...]
    sampling: Sampling = field(default_factory=Sampling)
    thinking: bool | None = None  # aloud before it answers; None is the model's own way
    # Special tokens that mean something to whoever asks: the answer shows them, and in what the
    # system and the assistant say they are what they are, and no plain characters.
    visible_tokens: tuple[str, ...] = ()
    # For an engine that `takes_tools`; to any other, the messages tell of them.
    tools: tuple[ToolSpec, ...] = ()
    # It only reads ahead what others' prompts begin with: an engine that would slow others down for
    # it lets them go first, and one that can keeps what it read for its next start.
    background: bool = False


@dataclass(frozen=True, slots=True)
class Usage:
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0  # of the prompt's: those that needed no work, as far as it is known


@dataclass(frozen=True, slots=True)
class NativeCallDelta:
    """More of what the model asks of a tool, from an engine that parses calls itself."""

    index: int  # from 0, in the order of an answer's calls
    name: str = ""  # with a call's first piece
    arguments: str = ""  # more of a JSON object's text


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of answer. The last one, and only it, carries `finish_reason` and `usage`.

    An engine that tells reasoning and calls apart by itself puts them into `thought` and `calls`;
    from any other they come as text, in the model's own words.
    """

    text: str
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
    reasoning: str = ""
    tool_calls: tuple[NativeCallDelta, ...] = ()
    tokens: int = 1  # that it was made of, as far as the engine knows
    dropped_characters: int = 0  # at the end of the text so far, which only repeat what was said

    def added_to(self, text: str) -> str:
        """Return all of the text so far, after the text of the chunks before."""
        return text[: len(text) - self.dropped_characters] + self.text


@dataclass(frozen=True, slots=True)
class Health:
    phase: WorkerPhase
    progress: float | None = None  # 0 to 1 while loading
    detail: str = ""


class Engine(Protocol):
    """One model, ready to answer many requests at once."""

    @property
    def name(self) -> str:
        """The engine's kind: `transformers`, `llamacpp`, `openai` or `scripted`."""
        ...

    @property
    def model(self) -> str: ...

    @property
    def identity(self) -> str:
        """Return what the model says it is, from which its format of tool calls is chosen. It is
        the name where nothing else is known.
        """
        ...

    @property
    def capabilities(self) -> frozenset[str]: ...

    @property
    def context_tokens(self) -> int: ...

    @property
    def slots(self) -> int:
        """Requests that may run at once."""
        ...

    @property
    def takes_tools(self) -> bool:
        """Return whether the engine itself passes a request's tools to the model and parses the
        calls.
        """
        ...

    def generate(self, request: Request) -> AsyncGenerator[Chunk, None]: ...

    async def count_tokens(self, messages: tuple[Message, ...]) -> int:
        """Tokens of `messages` as the model's chat template renders them."""
        ...

    def health(self) -> Health: ...

    async def __aenter__(self) -> Self:
        """Load; returns when requests can be answered. `health` tells the progress.

        Raises CannotLoad.
        """
        ...

    async def __aexit__(self, *exc: object) -> None: ...


class EngineWrapper:
    """An engine that passes everything on to the engine in it; subclasses change `generate`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @property
    def name(self) -> str:
        return self._engine.name

    @property
    def model(self) -> str:
        return self._engine.model

    @property
    def identity(self) -> str:
        return self._engine.identity

    @property
    def capabilities(self) -> frozenset[str]:
        return self._engine.capabilities

    @property
    def context_tokens(self) -> int:
        return self._engine.context_tokens

    @property
    def slots(self) -> int:
        return self._engine.slots

    @property
    def takes_tools(self) -> bool:
        return self._engine.takes_tools

    def generate(self, request: Request) -> AsyncGenerator[Chunk, None]:
        return self._engine.generate(request)

    async def count_tokens(self, messages: tuple[Message, ...]) -> int:
        return await self._engine.count_tokens(messages)

    def health(self) -> Health:
        return self._engine.health()

    async def __aenter__(self) -> Self:
        await self._engine.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._engine.__aexit__(*exc)

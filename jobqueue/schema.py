"""The messages between the bot and the inference service.

Every value is frozen, checked where it is created and trusted afterwards. In Redis it is JSON, so
that an operator can read it with `redis-cli`. Times are milliseconds of the Redis server's clock
since 1970; texts are Unicode without surrogates.
"""

import re
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Literal, TypeVar

import msgspec

from common import tracing
from jobqueue.article import Article, ArticleOrder, ArticleStage
from jobqueue.errors import InvalidJob
from jobqueue.structs import Attachment as Attachment  # noqa: PLC0414 — re-exported, for mypy
from jobqueue.structs import Struct, require_range

MAX_PROMPT_CHARS = 100_000
# Identifiers are parts of Redis keys, whose hash tag is in braces.
_IDENTIFIER = re.compile(r"[!-z|~]{1,100}")
_IDENTIFIER_RULE = "1 to 100 printable ASCII characters, no braces or white space"

HEAD = " "  # in Redis, for a parent of None; no turn has it, since it is no identifier


class Sampling(Struct, frozen=True):
    """Sampling parameters. None is the engine's own default."""

    temperature: float | None = None  # 0 is greedy
    top_p: float | None = None
    top_k: int | None = None
    repetition_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    max_tokens: int | None = None

    def __post_init__(self) -> None:
        require_range("temperature", self.temperature, 0.0, 2.0)
        require_range("top_p", self.top_p, 0.0, 1.0)
        require_range("top_k", self.top_k, 0, 1_000_000)
        require_range("repetition_penalty", self.repetition_penalty, 0.5, 2.0)
        require_range("seed", self.seed, 0, 2**63 - 1)
        require_range("max_tokens", self.max_tokens, 1, 1_000_000)


class Job(Struct, frozen=True):
    """One question. Its id is the interaction's or message's id, so asking twice is one job."""

    id: str
    channel: str  # one conversation: a channel, thread or DM
    user: str
    user_name: str
    server: str  # the unit of fair share: a guild, or the user in a DM
    prompt: str
    reader: str  # the bot process that delivers the answer, by its name; also names its live stream
    reply: str = ""  # the bot's own note of where the answer goes
    capability: str = "chat"  # the ability that the worker needs
    system: str = ""  # the system prompt; empty: the service's own
    attachments: tuple[Attachment, ...] = ()
    sampling: Sampling = Sampling()
    locale: str = "en-US"
    # The turn that it follows; None: the channel's head when it is claimed; empty: none.
    parent: str | None = None
    continues: str = ""  # the job whose answer is incomplete and is to be continued
    thinking: bool | None = None  # reason before the answer; None: the model's default
    tools: tuple[str, ...] = ()  # that the model may call, if the worker has them
    approval: bool = False  # a person has to approve each call
    order: ArticleOrder | None = None  # of an article; for the capability "article"
    ttl_ms: int = 14 * 60_000  # from submission; afterwards nobody can receive the answer
    trace: str = ""  # W3C traceparent of the submission; only `tracing` reads it

    def __post_init__(self) -> None:
        for name in ("id", "channel", "user", "server", "reader", "capability"):
            if not _IDENTIFIER.fullmatch(getattr(self, name)):
                raise InvalidJob(name, _IDENTIFIER_RULE)
        for name in ("parent", "continues"):
            if (value := getattr(self, name)) and not _IDENTIFIER.fullmatch(value):
                raise InvalidJob(name, _IDENTIFIER_RULE)
        if ":" in self.capability:
            raise InvalidJob("capability", "no colon")
        if not self.prompt.strip() and not self.attachments:
            raise InvalidJob("prompt", "not empty")
        if len(self.prompt) > MAX_PROMPT_CHARS:
            raise InvalidJob("prompt", f"{MAX_PROMPT_CHARS} characters at most")
        require_range("ttl_ms", self.ttl_ms, 1, 24 * 3_600_000)


class Turn(Struct, frozen=True):
    """One finished exchange of a channel."""

    job: str
    user: str
    user_name: str
    prompt: str
    answer: str
    parent: str | None = None  # the turn that it follows; None only until it is stored
    attachments: tuple[Attachment, ...] = ()
    programs: tuple[str, ...] = ()  # that were run for it, in order
    prompt_tokens: int = 0  # of this turn's prompt alone, as the engine counted it
    completion_tokens: int = 0
    at_ms: int = 0  # set by the queue


class Summary(Struct, frozen=True):
    """A model's summary of a conversation's older turns, up to one of them."""

    turn: str  # the newest one that it covers
    text: str
    turns: int  # how many it covers
    tokens: int  # of the text


class FinishReason(StrEnum):
    STOP = "stop"  # the model ended the answer
    LENGTH = "length"  # max_tokens or the context was reached
    REPETITION = "repetition"  # the model repeated itself; what it repeated is dropped
    CANCELLED = "cancelled"  # a person pressed Stop; the partial text stands
    DEADLINE = "deadline"  # the answer's time was over


class FailureCode(StrEnum):
    """Why there is no answer; the bot has a message for each in every language."""

    BAD_REQUEST = "bad_request"  # the engine refused the input
    TOO_LONG = "too_long"  # the prompt alone exceeds the model's context
    UNSUPPORTED = "unsupported"  # no worker can do this
    NO_PROGRAMS = "no_programs"  # no worker has a working sandbox
    NO_ANSWER = "no_answer"  # the model only called tools
    NO_TEXT = "no_text"  # an image was to be read but has no text
    ENGINE = "engine"  # the engine failed
    DEADLINE = "deadline"  # not finished in time
    CANCELLED = "cancelled"  # cancelled before it began
    DEAD = "dead"  # every attempt died


# --- events: a worker, or the queue itself, reports on a job ------------------------------------


class JobEvent(Struct, frozen=True, tag_field="type", tag=str.lower):
    """Base of the tagged union `AnyEvent`."""


class Started(JobEvent, frozen=True):
    """An attempt begins: readers drop the text of earlier attempts."""

    attempt: int
    worker: str = ""
    model: str = ""


class Delta(JobEvent, frozen=True):
    """More of the answer's text."""

    text: str
    anew: bool = False  # replaces all earlier text: it was reasoning, or repeated itself


class ReasoningDelta(JobEvent, frozen=True, tag="thought"):
    """More of the reasoning before the answer or the next call; shown apart from it."""

    text: str


class ToolCallDelta(JobEvent, frozen=True, tag="call"):
    """More of a tool call, as the model writes it; a new `step` begins a step."""

    step: int  # from 1, in the order of the calls
    tool: str
    text: str  # of a program, or of the arguments as JSON


class ApprovalRequest(JobEvent, frozen=True, tag="asks"):
    """The step's call is complete and waits for approval: see `jobqueue.approvals`."""

    step: int
    attempt: int  # a later attempt may make another call in the same step


class CallStatus(StrEnum):
    OK = "ok"
    FAILED = "failed"  # the program or tool reported an error; the model may correct it
    TIMEOUT = "timeout"
    REFUSED = "refused"  # it never ran: malformed, not allowed, or no sandbox


class ToolResult(JobEvent, frozen=True, tag="returned"):
    """The result of a step's call."""

    step: int
    status: CallStatus
    text: str = ""  # its output, or the error; truncated if it is long
    figures: tuple[Attachment, ...] = ()  # bytes in `jobqueue.blobs`
    duration_ms: int = 0


class ArticleProgress(JobEvent, frozen=True, tag="progress"):
    """The progress of an article."""

    stage: ArticleStage
    done: int = 0  # sections written, or image slots processed
    total: int = 0  # 0 while it is unknown
    placed: int = 0  # images so far
    heading: str = ""  # of the current section


class Check(StrEnum):
    """The result of an independent test of the answer, such as substituting a solution back."""

    NONE = "none"  # it could not be tested
    VERIFIED = "verified"
    REFUTED = "refuted"


class Finished(JobEvent, frozen=True):
    """The answer is complete; `text` is all of it, for readers that missed events."""

    text: str
    check: Check = Check.NONE
    reason: FinishReason = FinishReason.STOP
    prompt_tokens: int = 0
    completion_tokens: int = 0
    omitted_turns: int = 0  # older turns of the channel that did not fit the context
    summarised_turns: int = 0  # turns before those, of which the model read a summary
    unseen_pictures: int = 0  # images of the conversation that expired or did not fit the context
    article: Article | None = None  # with its layout; `text` is its Markdown


class Failed(JobEvent, frozen=True):
    """There is no answer, or only the part that is already shown."""

    code: FailureCode
    detail: str = ""  # for the log and the operator, never shown to people


AnyEvent = (
    Started
    | ReasoningDelta
    | ToolCallDelta
    | ApprovalRequest
    | ToolResult
    | ArticleProgress
    | Delta
    | Finished
    | Failed
)
TERMINAL_EVENTS = (Finished, Failed)


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"

    @property
    def is_terminal(self) -> bool:
        return self in (JobState.DONE, JobState.FAILED)


# --- capabilities: `chat`, or `chat@model` for those who want one model -------------------------

SOLVE = "solve"  # solves problems by running programs
VISION = "vision"  # answers about images
READ = "read"  # reads the text in images, if the model does not see them
ARTICLE = "article"  # writes one, with images

_NOT_IN_CAPABILITIES = re.compile(r"[^\w.@+-]+", re.ASCII)
_MAX_CAPABILITY_CHARS = 100


def add_model(capability: str, model: str) -> str:
    """Return the capability of one model alone; `model` may be any name or path."""
    name = _NOT_IN_CAPABILITIES.sub("-", model).strip("-")
    return f"{capability}@{name}"[:_MAX_CAPABILITY_CHARS]


def strip_model(capability: str) -> str:
    """Return the capability of whichever model."""
    return capability.partition("@")[0]


# --- workers ------------------------------------------------------------------------------------

WorkerPhase = Literal["loading", "ready", "degraded", "draining"]


class WorkerStatus(Struct, frozen=True):
    """A worker's announcement, repeated every few seconds; it expires when the worker is gone."""

    worker: str
    phase: WorkerPhase
    engine: str
    model: str
    capabilities: tuple[str, ...]
    slots: int
    running: int = 0
    progress: float | None = None  # 0 to 1 while loading
    detail: str = ""
    context_tokens: int = 0
    tools: tuple[str, ...] = ()  # by the names that jobs use

    @property
    def is_serving(self) -> bool:
        return self.phase in ("ready", "degraded")


def best_phase(
    workers: Iterable[WorkerStatus],
) -> tuple[Literal["ready", "loading"] | None, float | None]:
    """Return how ready the best of these workers is, and its progress if it is loading."""
    workers = list(workers)
    if any(worker.is_serving for worker in workers):
        return "ready", None
    loading = [worker.progress for worker in workers if worker.phase == "loading"]
    if not loading:
        return None, None
    return "loading", max((each for each in loading if each is not None), default=None)


encode = msgspec.json.Encoder().encode

T = TypeVar("T")


def make_decoder(decode: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """Raise DecodeError also for JSON that is nested too deeply."""

    def decode_bounded(data: bytes) -> T:
        try:
            return decode(data)
        except RecursionError as error:
            raise msgspec.DecodeError("nested too deeply") from error

    return decode_bounded


decode_job = make_decoder(msgspec.json.Decoder(Job).decode)
decode_event = make_decoder(msgspec.json.Decoder[AnyEvent](AnyEvent).decode)
decode_turn = make_decoder(msgspec.json.Decoder(Turn).decode)
decode_summary = make_decoder(msgspec.json.Decoder(Summary).decode)
decode_worker = make_decoder(msgspec.json.Decoder(WorkerStatus).decode)


def with_traceparent(job: Job) -> Job:
    """Return `job` carrying the current span, so that its worker continues the same trace."""
    trace = tracing.current_traceparent()
    return job if job.trace == trace else msgspec.structs.replace(job, trace=trace)

"""Adds the text in a question's pictures to the question: for models without vision, and for
problems.

A model that sees reads by itself; for any other, `ocr` does. Each picture is a step that people can
look at, so that they know what was read and what was not.
"""

import re
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass

import msgspec

from inference import ocr
from inference.chat_attempt import Attempt
from inference.engines.base import BadRequest, Engine, Image, Message, Request
from inference.tools.base import MAX_SHOWN, cut
from jobqueue.blobs import BlobReader
from jobqueue.history import MAX_IMAGES, select_images
from jobqueue.schema import (
    SOLVE,
    AnyEvent,
    Attachment,
    CallStatus,
    Finished,
    FinishReason,
    Job,
    Sampling,
    ToolCallDelta,
    ToolResult,
    Turn,
    strip_model,
)

TOOL = "read_picture"
CONTEXT_SHARE = 2  # of the context, at most half is read
COPY = (
    "Write down the text in this picture, word for word and line by line, and formulas as one "
    "types them: x^2 + 3x = 1/2. Write nothing else. If there is no text, write nothing."
)
COPY_TOKENS = 800


# Words with which one asks for a problem's solution, and says no more of it.
_REQUEST = re.compile(
    "please|solve|answer|do|work|out|calculate|compute|find|can|could|you|help|me|with|this|that|"
    "these|it|the|following|problems?|questions?|exercises?|equations?|task|picture|photo|image|"
    "for|in|from|[请帮我你能可以给求解答做算计一下出这那道题个些条张图片照里中的目问方程吗吧]+"
)


class NoText(BadRequest):
    """The pictures are all that was asked, and they say nothing."""


def can_read(engine: Engine, blobs: BlobReader | None) -> bool:
    return blobs is not None and (_sees(engine) or ocr.is_installed())


def wants_reading(job: Job, engine: Engine) -> bool:
    """Return whether there are pictures that the model cannot see itself."""
    wanted = strip_model(job.capability)
    unseen = wanted == SOLVE or (wanted == "chat" and "vision" not in engine.capabilities)
    return unseen and bool(_unread(job))


class OcrAttempt:
    """An attempt that reads its pictures, and is then begun with what they say."""

    def __init__(
        self,
        job: Job,
        number: int,
        engine: Engine,
        blobs: BlobReader,
        begin: Callable[[Job, int], Awaitable[Attempt]],
    ) -> None:
        """`begin` is called with the job, its images' text included, and the number of earlier
        steps."""
        self._job = job
        self._number = number
        self._engine = engine
        self._blobs = blobs
        self._begin = begin
        self._begun: Attempt | None = None

    @property
    def _attempt(self) -> Attempt:
        assert self._begun is not None  # noqa: S101 — before, there is nothing to cut or remember
        return self._begun

    @property
    def text(self) -> str:
        return self._begun.text if self._begun else ""

    async def events(self) -> AsyncGenerator[AnyEvent, None]:
        pictures = _unread(self._job)
        limit = min(self._engine.context_tokens // (CONTEXT_SHARE * len(pictures)), MAX_SHOWN)
        passages = []
        for step, picture in enumerate(pictures, 1):
            asked = msgspec.json.encode({"picture": picture.name}).decode()
            yield ToolCallDelta(step=step, tool=TOOL, text=asked)
            passage = await self._read(picture, f"read-{step}", limit)
            passages.append(passage)
            yield ToolResult(step=step, status=passage.status, text=passage.text or passage.why)
        self._begun = await self._begin(_with(self._job, passages), len(pictures))
        async with aclosing(self._begun.events()) as events:
            async for event in events:
                yield event

    async def cut_short(self, reason: FinishReason) -> Finished:
        return await self._attempt.cut_short(reason)

    def turn(self, finished: Finished) -> Turn:
        return self._attempt.turn(finished)

    async def _read(self, picture: Attachment, name: str, limit: int) -> "Passage":
        data = await self._blobs.get(picture.sha256)
        if data is None:
            return Passage(picture.name, why="no longer kept")
        try:
            if _sees(self._engine):
                text = await self._transcribe(Image(data, picture.media_type), name)
            else:
                text = ocr.in_rows(await ocr.read_text(data))
        except ocr.Unread as error:
            return Passage(picture.name, why=str(error))
        return Passage(picture.name, cut(text.strip(), limit))

    async def _transcribe(self, image: Image, name: str) -> str:
        request = Request(
            id=f"{self._job.id}.{self._number}.{name}",
            channel=self._job.channel,
            messages=(Message("user", COPY, (image,)),),
            sampling=Sampling(temperature=0.0, max_tokens=COPY_TOKENS),
        )
        text = ""
        async with aclosing(self._engine.generate(request)) as chunks:
            async for chunk in chunks:
                text = chunk.added_to(text)
        return text


@dataclass(frozen=True, slots=True)
class Passage:
    name: str  # of the picture
    text: str = ""
    why: str = ""  # there is none, where it could not be read

    @property
    def status(self) -> CallStatus:
        return CallStatus.FAILED if self.why else CallStatus.OK

    @property
    def as_quotation(self) -> str:
        if not self.text:
            return f"{_title(self.name)} nothing. You cannot see it."
        plain = self.text.replace("`", "'")  # nothing in it ends its quotation
        return f"{_title(self.name)}\n```\n{plain}\n```"


def _title(name: str) -> str:
    return f'File "{name}", a picture. All that could be read in it:'


def _with(job: Job, passages: Sequence[Passage]) -> Job:
    """Return the job with the text of its pictures. A problem without words becomes that text.
    Raises NoText.
    """
    if strip_model(job.capability) != SOLVE or not _only_asks(job.prompt):
        prompt = "\n\n".join((job.prompt, *(passage.as_quotation for passage in passages)))
    else:
        prompt = "\n".join(passage.text for passage in passages if passage.text)
    if not prompt:
        raise NoText(f"nothing is written in {len(passages)} pictures")
    return msgspec.structs.replace(job, prompt=prompt)


def _only_asks(words: str) -> bool:
    """Return whether the words add nothing, as `Please solve this` and `帮我解这道题` do
    not.
    """
    return all(map(_REQUEST.fullmatch, re.findall(r"\w+", words.lower())))


def _unread(job: Job) -> list[Attachment]:
    """But for those whose text came along, as when it is asked again."""
    every = [each for each in select_images(job.attachments) if _title(each.name) not in job.prompt]
    return every[:MAX_IMAGES]


def _sees(engine: Engine) -> bool:
    """And can write down what it sees: not one that knows only scenes."""
    return {"chat", "vision"} <= engine.capabilities

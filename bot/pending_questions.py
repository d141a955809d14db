"""Questions that wait for more words or files, stored so that no crash loses them. They lie in
Redis, so that the next process asks what a killed one held.
"""

import logging
from typing import Literal

import msgspec
from redis.asyncio import Redis

from jobqueue.lua_runner import Scripts
from jobqueue.schema import Job, make_decoder

log = logging.getLogger(__name__)


class PostedFile(msgspec.Struct, frozen=True):
    """A file as Discord describes it."""

    url: str
    name: str
    size: int  # bytes; 0 where Discord does not tell it
    voice: bool = False
    picture: bool = False  # as its sender says


class Quote(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody's message, for the model to read below the question."""

    title: str  # whose it is, and in what way the question points at it
    text: str
    name: str = ""  # of it, for the person
    newest: bool = False  # if it does not fit, its end is kept
    cut: bool = False

    def with_text(self, text: str, *, cut: bool) -> "Quote":
        return msgspec.structs.replace(self, text=text, cut=cut)


class Reference(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that a question points at and that is still to be fetched."""

    kind: Literal["reply", "thread"]
    channel: str
    message: str  # empty for a thread whose first message is known already
    title: str = ""  # of the thread
    tags: tuple[str, ...] = ()
    in_forum: bool = False


class Asker(msgspec.Struct, frozen=True):
    """A person at a place."""

    user: str
    server: str
    channels: tuple[str, ...]  # a thread's parent, then the thread
    roles: tuple[str, ...] = ()


class Question(msgspec.Struct, frozen=True):
    """A job whose files are not read yet."""

    job: Job
    files: tuple[PostedFile, ...] = ()
    asked: bool = True  # in words of the person's own; else the prompt is ours
    thread: bool = False  # to be answered in one that is opened below it
    own_words: str = ""  # the prompt without quotations; empty where it has none yet
    quotes: tuple[Quote, ...] = ()
    references: tuple[Reference, ...] = ()
    asker: Asker | None = None  # None: held by a version that did not keep it

    @property
    def words(self) -> str:
        return self.own_words or self.job.prompt

    @property
    def asked_by(self) -> Asker:
        """The person who asks. A later process may admit the question."""
        return self.asker or Asker(self.job.user, self.job.server, (self.job.channel,))


class PendingQuestions:
    def __init__(self, redis: Redis, reader: str) -> None:
        self._scripts = Scripts(redis)
        self._key = self._scripts.key("heard", reader)

    async def save(self, question: Question) -> None:
        await self._scripts.call("HSET", self._key, question.job.id, _encode(question))

    async def delete(self, *job_ids: str) -> None:
        await self._scripts.call("HDEL", self._key, *job_ids)

    async def list_all(self) -> list[Question]:
        """List all stored questions, the oldest first."""
        raw = await self._scripts.call("HVALS", self._key)
        read = [question for each in raw if (question := _decode_or_none(each))]
        return sorted(read, key=lambda question: int(question.job.id))


_encode = msgspec.json.Encoder().encode
_decode = make_decoder(msgspec.json.Decoder(Question).decode)


def _decode_or_none(raw: bytes) -> Question | None:
    """Decode a stored question.

    Return None for a damaged one, so that the others are still asked.
    """
    try:
        return _decode(raw)
    except msgspec.DecodeError as error:
        log.error("a held question cannot be read", extra={"error": str(error)})
        return None

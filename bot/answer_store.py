"""Which answer is in which messages, for as long as its buttons and replies to it should work.

One answer may have several versions: asked again, written on, or to a reworded question. They
share its messages, and one of them is shown.
"""

import asyncio
from functools import partial

import msgspec
from redis.asyncio import Redis

from bot.agent_trace import Work, WorkKind
from bot.reply_protocol import AnswerOutcome
from bot.user_records import pack, unpack
from jobqueue.lua_runner import Scripts
from jobqueue.schema import Check, FinishReason, Job

TTL_MS = 30 * 86_400_000
MAX_VERSIONS = 10


class Version(msgspec.Struct, frozen=True, omit_defaults=True):
    job: Job
    reason: FinishReason = FinishReason.STOP
    omitted_turns: int = 0
    check: Check | None = None
    work: WorkKind | None = None
    summarised_turns: int = 0
    formulas: bool = False
    unseen_pictures: int = 0

    @classmethod
    def of(cls, job: Job, outcome: AnswerOutcome) -> "Version":
        return cls(
            job,
            outcome.reason,
            outcome.omitted_turns,
            outcome.check,
            outcome.work.kind,
            outcome.summarised_turns,
            outcome.formulas,
            outcome.unseen_pictures,
        )

    def outcome(self, work: Work) -> AnswerOutcome:
        """`work` is what was done for it."""
        return AnswerOutcome(
            self.reason,
            self.omitted_turns,
            self.check,
            work,
            self.summarised_turns,
            unseen_pictures=self.unseen_pictures,
        )


class Shown(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str  # its first job
    messages: tuple[str, ...]  # as the place where they are knows them
    versions: tuple[Version, ...]
    current: int = 0

    @property
    def version(self) -> Version:
        return self.versions[self.current]

    @property
    def job(self) -> Job:
        return self.version.job

    def at(self, current: int) -> "Shown":
        """With another of its versions shown."""
        return msgspec.structs.replace(self, current=current)


def with_version(earlier: Shown | None, version: Version, messages: tuple[str, ...]) -> Shown:
    """What is shown once `version` is, the newest one."""
    if earlier is None:
        return Shown(version.job.id, messages, (version,))
    others = tuple(v for v in earlier.versions if v.job.id != version.job.id)
    versions = (*others, version)[-MAX_VERSIONS:]
    return Shown(earlier.id, messages, versions, len(versions) - 1)


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Shown).decode


class ShownAnswers:
    """All calls raise QueueUnavailable while Redis is away."""

    def __init__(self, redis: Redis, shard: str = "main") -> None:
        self._scripts = Scripts(redis, shard)

    async def keep(self, shown: Shown, *, latest: bool = True) -> None:
        """Find it from now on by any of its messages and jobs, and as its channel's latest."""
        names = [_id(message) for message in shown.messages]
        names += [version.job.id for version in shown.versions]

        keys = {self._scripts.key("shown", name): shown.id for name in names}
        if latest:
            keys[self._scripts.key("latest", shown.job.channel)] = shown.id
        record = self._scripts.key("answer", shown.id)
        await asyncio.gather(
            self._scripts.call("SET", record, pack(_encode(shown)), "PX", TTL_MS),
            *(self._scripts.call("SET", key, answer, "PX", TTL_MS) for key, answer in keys.items()),
        )

    async def find(self, name: str) -> Shown | None:
        """The answer in this message, or of this job."""
        return await self._named(self._scripts.key("shown", name))

    async def latest(self, channel: str) -> Shown | None:
        """The newest answer of a conversation."""
        return await self._named(self._scripts.key("latest", channel))

    async def erase(self, user: str) -> None:
        """Drop a person's answers, whose records hold their questions; nothing can be done about
        them any more."""
        for key in await self._scripts.list_keys("answer"):
            record = await self._scripts.retry(partial(self._scripts.redis.get, key))
            if record and _decode(unpack(record)).job.user == user:
                await self._scripts.call("DEL", key)

    async def _named(self, key: str) -> Shown | None:
        answer = await self._get(key)
        record = answer and await self._get(self._scripts.key("answer", answer.decode()))
        return _decode(unpack(record)) if record else None

    async def _get(self, key: str) -> bytes | None:
        value: bytes | None = await self._scripts.call("GET", key)
        return value


def _id(message: str) -> str:
    return message.rpartition("/")[2]

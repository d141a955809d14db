"""An article's states, kept so that its buttons work and each change can be undone."""

import msgspec
from redis.asyncio import Redis

from bot.user_records import Kept, KeptRecords
from jobqueue.article import Article

MOST_STATES = 20


class Record(msgspec.Struct, frozen=True):
    states: tuple[Article, ...]  # the newest is last, and is shown

    @property
    def article(self) -> Article:
        return self.states[-1]

    @property
    def undoable(self) -> bool:
        return len(self.states) > 1

    def changed(self, article: Article) -> "Record":
        if article == self.article:
            return self
        return Record((*self.states, article)[-MOST_STATES:])

    def undone(self) -> "Record":
        return Record(self.states[:-1]) if self.undoable else self


class ArticleRecords(KeptRecords[Record]):
    """By the answer that the article is, which keeps its name through all its versions."""

    def __init__(self, redis: Redis, shard: str = "main") -> None:
        super().__init__(redis, "article", Kept[Record], shard)

    async def add(self, name: str, user: str, article: Article) -> None:
        """A new state of it."""
        record = await self.find(name)
        await self.keep(name, user, record.changed(article) if record else Record((article,)))

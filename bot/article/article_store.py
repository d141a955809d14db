"""Stored states of articles, for their buttons and to undo changes."""

import msgspec
from redis.asyncio import Redis

from bot.user_records import UserRecord, UserRecords
from jobqueue.article import Article

MOST_STATES = 20


class ArticleRecord(msgspec.Struct, frozen=True):
    states: tuple[Article, ...]  # the newest is last, and is shown

    @property
    def article(self) -> Article:
        return self.states[-1]

    @property
    def can_undo(self) -> bool:
        return len(self.states) > 1

    def with_article(self, article: Article) -> "ArticleRecord":
        if article == self.article:
            return self
        return ArticleRecord((*self.states, article)[-MOST_STATES:])

    def without_newest(self) -> "ArticleRecord":
        return ArticleRecord(self.states[:-1]) if self.can_undo else self


class ArticleRecords(UserRecords[ArticleRecord]):
    """Records by the answer's id, which all versions of an article share."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(redis, "article", UserRecord[ArticleRecord])

    async def add(self, name: str, user: str, article: Article) -> None:
        """Store a new state of the article."""
        record = await self.find(name)
        await self.store(
            name, user, record.with_article(article) if record else ArticleRecord((article,))
        )

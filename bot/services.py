"""The stores and the queue that the bot works with."""

from dataclasses import dataclass
from typing import Self

from redis.asyncio import Redis

from bot.agent_trace import TraceRecords
from bot.answer_store import ShownAnswers
from bot.article.article_store import ArticleRecords
from bot.config import BotSettings
from bot.feedback import Feedback
from bot.pending_questions import PendingQuestions
from bot.preferences import Preferences, PreferenceStore
from bot.user_records import RecentQuestions
from jobqueue.approvals import Approvals
from jobqueue.blobs import Blobs
from jobqueue.history import History
from jobqueue.queue import JobQueue, Policy
from jobqueue.rate_limit import RateLimiter


@dataclass(frozen=True)
class Services:
    """The bot's stores and the queue, all on one Redis."""

    settings: BotSettings
    queue: JobQueue
    history: History
    preferences: PreferenceStore
    rates: RateLimiter
    recent: RecentQuestions
    pending: PendingQuestions
    blobs: Blobs
    answers: ShownAnswers
    traces: TraceRecords
    articles: ArticleRecords
    approvals: Approvals
    feedback: Feedback

    @classmethod
    def from_redis(cls, redis: Redis, settings: BotSettings) -> Self:
        defaults = Preferences(
            per_minute=settings.commonroom_per_minute or None,
            per_day=settings.commonroom_per_day or None,
            tokens_per_day=settings.commonroom_tokens_per_day or None,
            megabytes_per_day=settings.commonroom_megabytes_per_day or None,
        )
        policy = Policy(memory=settings.commonroom_queue_memory << 20)
        return cls(
            settings=settings,
            queue=JobQueue(redis, policy=policy),
            history=History(redis),
            preferences=PreferenceStore(redis, defaults),
            rates=RateLimiter(redis),
            recent=RecentQuestions(redis),
            pending=PendingQuestions(redis, settings.reader),
            blobs=Blobs(redis, policy=policy),
            answers=ShownAnswers(redis),
            traces=TraceRecords(redis),
            articles=ArticleRecords(redis),
            approvals=Approvals(redis),
            feedback=Feedback(redis),
        )

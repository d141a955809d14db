"""Creates the attempts of `/article`: at a new article, or at a change of one."""

from inference.article.article_attempt import ArticleAttempt, BaseArticleAttempt
from inference.article.edit_attempt import EditAttempt
from inference.article.section_images import ArticleTools
from inference.chat_attempt import HistorySource
from inference.engines.base import Message
from jobqueue.schema import ARTICLE, Job


class ArticleService:
    def __init__(self, past: HistorySource, tools: ArticleTools) -> None:
        self._past = past
        self._tools = tools

    @property
    def capabilities(self) -> frozenset[str]:
        """Empty where the model knows nothing but pictures."""
        return frozenset({ARTICLE} if "chat" in self._tools.engine.capabilities else ())

    async def create_attempt(self, job: Job, number: int) -> BaseArticleAttempt:
        """Begin a new article, or a change of one. What was said in the channel is not read."""
        attempt = EditAttempt if job.order and job.order.change else ArticleAttempt
        parent = job.parent and (await self._past.load(job.channel, 0, job.parent)).parent
        tokens = await self._tools.engine.count_tokens((Message("user", job.prompt),))
        return attempt(job, number, self._tools, parent=parent, question_tokens=tokens)

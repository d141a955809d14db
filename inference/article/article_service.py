"""What a worker needs beside its engine for `/article`."""

from inference.article.article_attempt import Writing
from inference.article.base_attempt import ArticleAttempt
from inference.article.edit_attempt import Changing
from inference.article.section_images import Tools
from inference.chat_attempt import Past
from inference.engines.base import Message
from jobqueue.schema import ARTICLE, Job


class Press:
    def __init__(self, past: Past, tools: Tools) -> None:
        self._past = past
        self._tools = tools

    @property
    def capabilities(self) -> frozenset[str]:
        """None where the model knows nothing but pictures."""
        return frozenset({ARTICLE} if "chat" in self._tools.engine.capabilities else ())

    async def article(self, job: Job, number: int) -> ArticleAttempt:
        """A new one, or what its order changes. What was said in the channel is not read."""
        make = Changing if job.order and job.order.change else Writing
        parent = job.parent and (await self._past.load(job.channel, 0, job.parent)).parent
        tokens = await self._tools.engine.count_tokens((Message("user", job.prompt),))
        return make(job, number, self._tools, parent=parent, question_tokens=tokens)

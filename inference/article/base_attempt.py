"""What a new article and a change of one have in common: one attempt at a job."""

from collections.abc import AsyncGenerator

from inference.article.language import tongue_of
from inference.article.llm_client import Pen
from inference.article.prompts import wording_of
from inference.article.section_images import Pictures, Tools
from inference.article.source import source_of
from jobqueue.article import Article, Order
from jobqueue.schema import AnyEvent, Finished, FinishReason, Job, Turn


class ArticleAttempt:
    """The worker's view of it, but for `events`."""

    def __init__(
        self, job: Job, attempt: int, tools: Tools, *, parent: str | None, question_tokens: int
    ) -> None:
        """`parent` is the turn that it follows; None leaves it to the queue."""
        self._job = job
        self._order = job.order or Order()
        self._tools = tools
        self._parent = parent
        self._question_tokens = question_tokens
        self._pen = Pen(job, attempt, tools.engine)
        self._source = source_of(job.prompt)
        self._tongue = tongue_of(job, self._source.assignment)
        self._wording = wording_of(self._tongue)
        self._pictures = Pictures(job, tools, self._pen, self._tongue, self._source)
        self._article: Article | None = None  # as far as it is

    @property
    def text(self) -> str:
        return self._article.markdown() if self._article and self._article.sections else ""

    def events(self) -> AsyncGenerator[AnyEvent, None]:
        raise NotImplementedError

    async def cut_short(self, reason: FinishReason) -> Finished:
        return self._finished(reason)

    def turn(self, finished: Finished) -> Turn:
        job = self._job
        return Turn(
            job=job.id,
            user=job.user,
            user_name=job.user_name,
            prompt=job.prompt,
            answer=finished.text,
            parent=self._parent,
            attachments=job.attachments,
            prompt_tokens=self._question_tokens,
            completion_tokens=len(finished.text.encode()) // 3,  # of the text alone
        )

    def _finished(self, reason: FinishReason = FinishReason.STOP) -> Finished:
        return Finished(
            text=self.text,
            reason=reason,
            prompt_tokens=self._pen.prompt_tokens,
            completion_tokens=self._pen.completion_tokens,
            article=self._article,
        )

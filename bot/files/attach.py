"""Turns a question with files into one job: fetch, read, and say what was done with each."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

import msgspec

from bot import notices
from bot.files.file_reader import MAX_BYTES, Content, FileReader, ReadImage, Skipped, Text
from bot.files.prompt_files import FileNames, ReadFile, first_lines, list_images, with_files
from bot.notices import Notice, QuestionRefused
from bot.pending_questions import PostedFile, Question
from bot.quotes import names_in, with_quotes
from jobqueue.blobs import Blobs
from jobqueue.errors import QueueError, QueueFull
from jobqueue.schema import (
    ARTICLE,
    MAX_PROMPT_CHARS,
    READ,
    SOLVE,
    VISION,
    Attachment,
    Job,
    WorkerStatus,
    strip_model,
)

DEFAULT_CONTEXT = 8_192  # tokens, while no worker tells its own
FILES_SHARE = 2  # of the context, at most 1/2 is files
BYTES_PER_TOKEN = 3  # about; less for prose, more for digits
MAX_TEXT_BYTES = 90_000
TITLES_CHARS = 4_000  # of what is said above each quotation and file

Fetch = Callable[[str], Awaitable[bytes]]  # an address's bytes; OSError when they cannot be had


@dataclass(frozen=True)
class FileCapabilities:
    """The abilities of the running workers with files."""

    vision: bool
    reads_images: bool = False  # the text in pictures, whoever of them gets the question
    context_tokens: int = 0
    vision_models: frozenset[str] = frozenset()  # models that see, as capabilities name them
    vision_models_chat: bool = True  # more than a question: none of them is for pictures alone

    @classmethod
    def from_workers(cls, workers: Sequence[WorkerStatus]) -> "FileCapabilities":
        able = {name for worker in workers for name in worker.capabilities}
        # A model for images alone reads no files, so its context does not count.
        chatting = [worker for worker in workers if "chat" in worker.capabilities]
        return cls(
            vision=VISION in able,
            reads_images=bool(chatting) and all(READ in worker.capabilities for worker in chatting),
            context_tokens=min(filter(None, (w.context_tokens for w in chatting)), default=0),
            vision_models_chat=all(
                "chat" in w.capabilities for w in workers if VISION in w.capabilities
            ),
            vision_models=frozenset(
                n.partition("@")[2] for n in able if n.startswith(f"{VISION}@")
            ),
        )

    def vision_capability(self, capability: str) -> str:
        """Return the capability to ask for with pictures: the wanted model's, if it can see."""
        what, at, model = capability.partition("@")
        if what != "chat":
            return capability
        return f"{VISION}@{model}" if at and model in self.vision_models else VISION

    @property
    def max_text_bytes(self) -> int:
        context = self.context_tokens or DEFAULT_CONTEXT
        return min(context // FILES_SHARE * BYTES_PER_TOKEN, MAX_TEXT_BYTES)


class FileAttacher:
    def __init__(self, reader: FileReader, blobs: Blobs, fetch: Fetch) -> None:
        self._reader = reader
        self._blobs = blobs
        self._fetch = fetch

    async def attach(
        self, question: Question, capabilities: FileCapabilities
    ) -> tuple[Job, list[Notice]]:
        """Return the job with its files and quotations, and notices on how each was used.

        Raises:
            QuestionRefused: nothing was asked, and the model can read nothing that was posted.
        """
        job = question.job
        for_programs = strip_model(job.capability) == SOLVE
        room = min(
            capabilities.max_text_bytes, MAX_PROMPT_CHARS - len(question.words) - TITLES_CHARS
        )
        for_quotes = room // 2 if question.files else room
        prompt, cuts = with_quotes(question.words, question.quotes, for_quotes)
        room -= len(prompt.encode()) - len(question.words.encode())
        quoted, attachments, unstored = await self._read_all(question, room, for_programs)
        images = list_images(quoted)
        for_article = strip_model(job.capability) == ARTICLE  # the files may be its pictures
        is_visible = bool(images) and (for_article or (capabilities.vision and not for_programs))
        is_read = bool(images) and capabilities.reads_images
        described = [file for file in quoted if file not in images or is_visible]
        unread = (
            is_visible
            and not for_article
            and not capabilities.vision_models_chat
            and question.quotes
        )
        if unread:  # a model for pictures alone takes nothing but a question
            prompt = question.words
            cuts = [Notice("quote-unread", arguments={"names": names_in(question.quotes)})]
        notes = cuts + [note for file in described for note in (file.note, *file.remarks)]
        notes += unstored
        if images and not is_visible:
            names = ", ".join(f"`{file.name}`" for file in images)
            key = "file-text-only" if is_read else "file-unseen"
            notes.append(Notice(key, arguments={"names": names}))
        has_text = bool(question.quotes) or any(isinstance(file.content, Text) for file in quoted)
        if not (question.asked or has_text or is_visible or is_read):
            raise QuestionRefused(notes[0] if notes else notices.EMPTY_PROMPT)
        # If a problem is only a photo, the text read in the photo becomes the question.
        photo_alone = for_programs and is_read and not (question.asked or has_text)
        return msgspec.structs.replace(
            job,
            capability=capabilities.vision_capability(job.capability)
            if is_visible
            else job.capability,
            prompt="" if photo_alone else with_files(prompt, quoted),
            attachments=tuple(attachments),
        ), notes

    async def _read_all(
        self, question: Question, room: int, for_programs: bool
    ) -> tuple[list[ReadFile], list[Attachment], list[Notice]]:
        """Return what the model reads, what is kept, and which texts are read but not kept."""
        job = question.job
        quoted, attachments, unstored = [], [], []
        names = FileNames()
        for posted in question.files:
            content = await self._read(posted, room, job.user, whole=for_programs)
            name = names.add(posted.name)
            if for_programs and isinstance(content, Text) and content.plain:
                try:
                    text = content.text.encode()  # in the encoding that programs expect
                    attachments.append(await self._store(text, name, "text/plain", job))
                    content = first_lines(content)
                except QueueError as error:
                    unstored.append(Notice(_unstored_key(error), arguments={"name": name}))
            content = _truncate(content, room)
            if isinstance(content, Text):
                room -= len(content.text.encode())
            if isinstance(content, ReadImage):
                try:
                    attachments += await self._store_images(content, name, job)
                except QueueError as error:
                    content = Skipped("lost", _unstored_key(error))
            quoted.append(ReadFile(name, content))
        return quoted, attachments, unstored

    async def _read(self, posted: PostedFile, room: int, user: str, *, whole: bool) -> Content:
        """Read a posted file; with `whole`, all of a plain text."""
        if posted.voice:
            return Skipped("voice")
        if posted.size > MAX_BYTES:
            return Skipped("large")
        if room <= 0:
            return Skipped("no-room")
        try:
            data = await self._fetch(posted.url)
        except OSError:
            return Skipped("lost")
        return await self._reader.read(data, max_chars=room, user=user, whole=whole)

    async def _store_images(self, picture: ReadImage, name: str, job: Job) -> list[Attachment]:
        """Store the images. Raises `QueueError` if one of them is not stored."""
        return [
            await self._store(still.data, name, still.media_type, job) for still in picture.stills
        ]

    async def _store(self, data: bytes, name: str, media_type: str, job: Job) -> Attachment:
        sha256 = await self._blobs.put(data, user=job.user, server=job.server)
        return Attachment(sha256=sha256, name=name, media_type=media_type, size=len(data))


def _unstored_key(error: QueueError) -> str:
    """Return the message key for the reason."""
    if not isinstance(error, QueueFull):
        return "file-lost"
    keys = {"files-user": "file-full-user", "files-server": "file-full-server"}
    return keys.get(error.scope, "file-full")


def _truncate(content: Content, room: int) -> Content:
    """Cut the text to `room` bytes of UTF-8, which approximate tokens in every script."""
    if not isinstance(content, Text) or len(content.text.encode()) <= room:
        return content
    return replace(content, text=content.text.encode()[:room].decode(errors="ignore"), cut=True)

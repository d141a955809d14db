"""Files become part of a job: texts in the prompt, pictures as blobs, notes for the person."""

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from bot.files.attach import FileAttacher, FileCapabilities
from bot.files.file_reader import FileReader
from bot.notices import QuestionRefused
from bot.pending_questions import PostedFile, Question
from jobqueue.blobs import Blobs
from jobqueue.schema import Job
from tests.bot.files import making

FILES = {
    "a.txt": b"some words",
    "b.txt": b"x" * 5_000,
    "c.png": making.picture(),
}
BLIND = FileCapabilities(vision=False, context_tokens=200)  # 300 bytes of text
SEEING = FileCapabilities(vision=True, context_tokens=200)


async def _fetch(url: str) -> bytes:
    if url not in FILES:
        raise OSError(url)
    return FILES[url]


@pytest.fixture
def blobs(redis: Redis) -> Blobs:
    return Blobs(redis)


@pytest.fixture
def attacher(blobs: Blobs) -> FileAttacher:
    return FileAttacher(FileReader(), blobs, _fetch)


def _question(*names: str, asked: bool = True, voice: bool = False, size: int = 10) -> Question:
    job = Job(
        id="1", channel="c", user="u", user_name="ada", server="s", prompt="look", reader="bot-0"
    )
    files = tuple(PostedFile(url=name, name=name, size=size, voice=voice) for name in names)
    return Question(job, files, asked)


async def test_texts_share_the_room_there_is(attacher: FileAttacher) -> None:
    job, notes = await attacher.attach(_question("a.txt", "b.txt", "a.txt"), BLIND)
    assert [note.key for note in notes] == ["file-read", "file-cut", "file-no-room"]
    assert job.prompt.startswith('look\n\nFile "a.txt":\n```\nsome words\n```')
    assert job.prompt.count("x") == 300 - len(b"some words") + ".txt".count("x") * 2


async def test_a_picture_goes_to_a_model_that_sees(attacher: FileAttacher, blobs: Blobs) -> None:
    job, notes = await attacher.attach(_question("c.png"), SEEING)
    [picture] = job.attachments
    assert (job.capability, picture.media_type) == ("vision", "image/png")
    kept = await blobs.get(picture.sha256)
    assert kept is not None
    assert kept.startswith(b"\x89PNG")
    assert [note.key for note in notes] == ["file-read"]


async def test_a_picture_is_kept_and_named_where_nobody_sees(attacher: FileAttacher) -> None:
    job, notes = await attacher.attach(_question("c.png"), BLIND)
    assert (job.capability, len(job.attachments)) == ("chat", 1)
    assert [note.key for note in notes] == ["file-unseen"]


async def test_where_text_is_read_a_picture_is_worth_asking_about(attacher: FileAttacher) -> None:
    reading = FileCapabilities(vision=False, reads_images=True, context_tokens=200)
    job, notes = await attacher.attach(_question("c.png", asked=False), reading)
    assert (job.capability, job.prompt, len(job.attachments)) == ("chat", "look", 1)
    assert [note.key for note in notes] == ["file-text-only"]
    problem = _question("c.png", asked=False)
    problem = replace(problem, job=replace(problem.job, capability="solve"))
    job, _ = await attacher.attach(problem, reading)
    assert (job.capability, job.prompt) == ("solve", "")


@pytest.mark.parametrize(
    ("question", "key"),
    [
        (_question("gone.txt", asked=False), "file-lost"),
        (_question("voice.ogg", asked=False, voice=True), "file-voice"),
        (_question("a.txt", asked=False, size=1 << 30), "file-large"),
        (_question("c.png", asked=False), "file-unseen"),
    ],
)
async def test_without_words_and_without_anything_to_read_it_is_refused(
    attacher: FileAttacher, question: Question, key: str
) -> None:
    with pytest.raises(QuestionRefused) as refused:
        await attacher.attach(question, BLIND)
    assert refused.value.notice.key == key


async def test_programs_get_a_table_in_the_encoding_that_they_expect(
    attacher: FileAttacher, blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it, each under a name of its own, and the person is told what was assumed."""
    table = "Stadt;Zahl\n" + "Köln;1\n" * 400
    monkeypatch.setitem(FILES, "a.csv", table.encode("cp1252"))
    monkeypatch.setitem(FILES, "ａ.csv", "é".encode("cp1252"))
    problem = _question("a.csv", "ａ.csv")
    problem = replace(problem, job=replace(problem.job, capability="solve"))
    job, notes = await attacher.attach(
        problem, FileCapabilities(vision=False, context_tokens=8_000)
    )
    assert [attachment.name for attachment in job.attachments] == ["a.csv", "a-2.csv"]
    kept = [await blobs.get(attachment.sha256) for attachment in job.attachments]
    assert kept == [table.encode(), "é".encode()]
    assert "file-assumed-encoding" in [note.key for note in notes]
    assert "Köln;1" in job.prompt
    assert len(job.prompt) < 4_000

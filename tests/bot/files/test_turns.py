"""People take turns with their files, and nobody's small file waits for somebody's long ones."""

import asyncio
from contextlib import suppress

import pytest

from bot.files.file_reader import (
    AT_ONCE,
    MAX_WAITING,
    FileReader,
    ReadImage,
    ReadingQueue,
    Skipped,
    TooManyWait,
)
from tests.bot.files import making


class Files:
    """Files that take as long as the test says."""

    def __init__(self, clock: list[float]) -> None:
        self.turns = ReadingQueue(lambda: clock[0])
        self.begun: list[str] = []
        self.ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def _read(self, who: str, name: str) -> None:
        async with self.turns.turn(who):
            self.begun.append(name)
            await self.ends[name].wait()

    async def post(self, *names: str) -> None:
        """`ada1`: the person is the name without its number."""
        for name in names:
            self.ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._read(name.rstrip("0123456789"), name))
            await settle()

    async def end(self, *names: str) -> None:
        for name in names:
            self.ends[name].set()
            await self.tasks[name]
            await settle()


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


async def test_a_person_has_one_file_read_at_a_time(clock: list[float]) -> None:
    files = Files(clock)
    await files.post("ada1", "ada2", "bob1")
    assert files.begun == ["ada1", "bob1"]
    await files.end("ada1")
    assert files.begun == ["ada1", "bob1", "ada2"]
    await files.end("ada2", "bob1")


async def test_who_took_long_waits_for_who_did_not(clock: list[float]) -> None:
    """Two people whose files take long have one place of three together."""
    files = Files(clock)
    for person in ("mal", "eve"):
        await files.post(f"{person}1")
        clock[0] += 8
        await files.end(f"{person}1")
    files.begun.clear()
    await files.post("mal2", "eve2", "mal3", "ada1", "bob1")
    assert files.begun == ["mal2", "ada1", "bob1"]
    await files.post("cid1")
    clock[0] += 8
    await files.end("mal2")  # now cid is first, though eve came before
    assert files.begun[-1] == "cid1"
    await files.end("ada1", "bob1", "cid1")
    assert files.begun[-1] == "eve2"
    await files.end("eve2", "mal3")


async def test_time_that_was_taken_is_forgotten(clock: list[float]) -> None:
    files = Files(clock)
    await files.post("mal1")
    clock[0] += 8
    await files.end("mal1")
    clock[0] += 600
    files.begun.clear()
    await files.post("ada1", "bob1", "mal2")
    assert files.begun == ["ada1", "bob1", "mal2"]
    await files.end("ada1", "bob1", "mal2")
    assert len(files.turns._people) <= 3


async def test_no_more_wait_than_there_is_room_for(clock: list[float]) -> None:
    files = Files(clock)
    await files.post(*(f"mal{i}" for i in range(MAX_WAITING + 1)))
    with pytest.raises(TooManyWait):
        async with files.turns.turn("mal"):
            pass
    await files.post("ada1")
    assert "ada1" in files.begun
    for task in files.tasks.values():
        task.cancel()
    await asyncio.gather(*files.tasks.values(), return_exceptions=True)
    assert files.turns._reading == 0


async def test_who_gives_up_holds_no_place(clock: list[float]) -> None:
    files = Files(clock)
    people = [f"p{chr(97 + i)}1" for i in range(AT_ONCE)]
    await files.post(*people, "ada1", "bob1")
    assert files.begun == people
    files.tasks["ada1"].cancel()
    with suppress(asyncio.CancelledError):
        await files.tasks["ada1"]
    await files.end(people[0])
    assert files.begun[-1] == "bob1"
    files.tasks["bob1"].cancel()
    await files.end(*people[1:])
    await asyncio.gather(files.tasks["bob1"], return_exceptions=True)
    assert files.turns._reading == 0


async def test_a_picture_does_not_wait_for_somebody_s_long_files() -> None:
    """Mallory's first file is still being read when Ada's picture is there."""
    reader = FileReader()
    long = making.pdf_of_work(1_000_000)
    hers = [
        asyncio.create_task(reader.read(long, max_chars=9_000, user="mallory"))
        for _ in range(MAX_WAITING)
    ]
    await asyncio.sleep(0)
    found = await reader.read(making.picture(), max_chars=9, user="ada")
    assert isinstance(found, ReadImage)
    assert not any(task.done() for task in hers)
    for task in hers:
        task.cancel()
    await asyncio.gather(*hers, return_exceptions=True)


async def test_one_file_too_many_is_refused_in_words() -> None:
    reader = FileReader()
    long = making.pdf_of_work(1_000_000)
    tasks = [
        asyncio.create_task(reader.read(long, max_chars=9_000, user="mallory"))
        for _ in range(MAX_WAITING + 2)
    ]
    done, waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result() for task in done] == [Skipped("busy")]
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

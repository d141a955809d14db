"""What the queue keeps of a person's questions, and how it is removed."""

from jobqueue.blobs import Blobs
from jobqueue.job_records import JobRecords
from jobqueue.queue import JobQueue
from jobqueue.schema import Attachment, Finished, Job


async def _asked(queue: JobQueue, number: int, user: str, *files: str) -> None:
    attachments = tuple(
        Attachment(sha256=sha256, name="a.png", media_type="image/png", size=1) for sha256 in files
    )
    await queue.submit(
        Job(
            id=str(number),
            channel=f"c{number}",
            user=user,
            user_name="Someone",
            server="s",
            prompt="hello",
            reader="bot-0",
            attachments=attachments,
        )
    )


async def _answered(queue: JobQueue, number: int, user: str, *files: str) -> None:
    await _asked(queue, number, user, *files)
    (lease,) = await queue.claim("w", 1, {"chat"}, f"n{number}")
    await queue.finish(lease, 0, Finished(text="yes"), None)


async def test_erasing_removes_a_persons_records_and_files_alone(queue: JobQueue) -> None:
    blobs, records = Blobs(queue.scripts.redis), JobRecords(queue)
    own, both = await blobs.put(b"own"), await blobs.put(b"both")
    await _answered(queue, 1, "ada", own, both)
    await _answered(queue, 2, "bob", both)
    await _answered(queue, 3, "ada")
    for job in ("1", "2"):
        await queue.mark_delivered(job)
    assert [job.id for job in await records.list_for("ada")] == ["1", "3"]

    assert await records.erase("ada") == 1
    left = [job.id for job in await records.list_for("ada")]
    assert left == ["3"], "one that is still to be shown stays"
    assert [job.id for job in await records.list_for("bob")] == ["2"]
    assert (await blobs.get(own), await blobs.get(both)) == (None, b"both")
    keys = [key async for key in queue.scripts.redis.scan_iter("*:events:*")]
    assert sorted(key.rpartition(b":")[2] for key in keys) == [b"2", b"3"]


async def test_what_is_still_asked_keeps_its_record_and_its_files(queue: JobQueue) -> None:
    picture = await Blobs(queue.scripts.redis).put(b"picture")
    await _answered(queue, 1, "ada", picture)
    await queue.mark_delivered("1")
    await _asked(queue, 2, "ada", picture)

    assert await JobRecords(queue).erase("ada") == 1
    await queue.scripts.run("erase_record", "2")  # as if it had been asked again meanwhile
    (lease,) = await queue.claim("w", 1, {"chat"}, "again")
    assert lease.job.id == "2"
    assert await Blobs(queue.scripts.redis).get(picture) == b"picture"

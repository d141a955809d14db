"""What a worker tells Prometheus, read the way Prometheus reads it."""

import asyncio
import signal
import socket
import urllib.error
import urllib.request

from prometheus_client.parser import text_string_to_metric_families
from redis.asyncio import Redis

from inference.engines.base import Usage
from inference.engines.metered_engine import MeteredEngine
from inference.engines.scripted import ScriptedEngine
from inference.metrics import WorkerMetrics
from jobqueue.queue import JobQueue
from tests.inference.support import Asker
from tests.inference.test_serve import events_of, refused, serving
from tests.inference.test_worker import ask, first_text, job, working

DRAINING = (503, "draining\n")


def sample(metrics: WorkerMetrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"commonroom_{name}", labels)


async def test_a_job_is_counted_from_its_submission_to_its_end(
    queue: JobQueue, redis: Redis
) -> None:
    metrics = WorkerMetrics()
    await queue.submit(job("waits", "hello !tokens 20 !delay 5ms"))
    await asyncio.sleep(0.2)  # what is measured
    engine = MeteredEngine(ScriptedEngine(), metrics)
    async with working(queue, redis, engine, metrics=metrics):
        await ask(queue, job("waits", "hello"))
        await ask(queue, job("refused", "!refuse", channel="other"))
        metrics.read_engine(engine, draining=False)

    chat = {"capability": "chat"}
    waited = sample(metrics, "job_queue_seconds_sum", **chat)
    assert waited is not None
    assert waited >= 0.2
    first = sample(metrics, "job_first_text_seconds_sum", **chat)
    assert first is not None
    assert first > 0.2
    assert sample(metrics, "job_first_text_seconds_count", **chat) == 1
    assert sample(metrics, "job_service_seconds_count", **chat) == 2
    assert sample(metrics, "attempts_total", outcome="stop", **chat) == 1
    assert sample(metrics, "attempts_total", outcome="bad_request", **chat) == 1
    assert sample(metrics, "jobs_running") == 0

    assert sample(metrics, "engine_requests_total", outcome="ended") == 1
    assert sample(metrics, "engine_requests_total", outcome="BadRequest") == 1
    assert sample(metrics, "completion_tokens_total") == 20
    assert sample(metrics, "engine_first_token_seconds_count") == 1
    gaps = sample(metrics, "engine_inter_token_seconds_sum")
    assert gaps is not None
    assert gaps >= 19 * 0.005
    assert sample(metrics, "engine_phase", phase="ready") == 1
    assert sample(metrics, "engine_phase", phase="loading") == 0
    assert sample(metrics, "engine_info", engine="scripted", model="scripted") == 1


async def test_an_aborted_request_is_counted_by_what_it_wrote() -> None:
    metrics = WorkerMetrics()
    engine = MeteredEngine(ScriptedEngine(), metrics)
    chunks = engine.generate(Asker(engine).request("go !tokens 500 !delay 1ms"))
    for _ in range(5):
        await anext(chunks)
    assert sample(metrics, "engine_requests_running") == 1
    await chunks.aclose()
    assert sample(metrics, "engine_requests_running") == 0
    assert sample(metrics, "engine_requests_total", outcome="aborted") == 1
    assert sample(metrics, "completion_tokens_total") == 5


async def test_what_lay_in_the_cache_is_told_apart() -> None:
    metrics = WorkerMetrics()
    with metrics.request() as request:
        request.add_usage(Usage(100, 7, cached_tokens=80))
    assert sample(metrics, "prompt_tokens_total") == 100
    assert sample(metrics, "prompt_cached_tokens_total") == 80


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def look(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as response:
            return response.status, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


async def test_a_worker_shows_itself_until_it_ends(redis_url: str, queue: JobQueue) -> None:
    port = free_port()
    settings = {"INFERENCE_METRICS_PORT": str(port), "INFERENCE_PROGRAMS": "0"}
    async with serving(redis_url, "--engine", "scripted", **settings) as process:
        await queue.submit(job("j1", "hello"))
        await events_of(queue)
        assert await asyncio.to_thread(look, port, "/healthz") == (200, "ok\n")
        assert await asyncio.to_thread(look, port, "/readyz") == (200, "ok\n")
        status, page = await asyncio.to_thread(look, port, "/metrics")
        assert status == 200
        families = {family.name: family for family in text_string_to_metric_families(page)}
        assert families["commonroom_attempts"].samples[0].value == 1
        queued = {
            sample.labels["state"]: sample.value
            for sample in families["commonroom_queue_jobs"].samples
            if sample.labels["capability"] == "chat"
        }
        assert queued == {"waiting": 0, "running": 0}
        assert "hello" not in page

        code, told = await refused("serve", "--engine", "scripted", REDIS_URL=redis_url, **settings)
        assert (code, f"metrics cannot be shown on 127.0.0.1:{port}" in told) == (1, True)

        await queue.submit(job("j2", "hi !tokens 900 !delay 20ms"))
        await first_text(queue, "j2")
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(20):
            while await asyncio.to_thread(look, port, "/readyz") != DRAINING:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

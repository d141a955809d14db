"""transformers' continuous batching, guarded: token ids in and out, many requests at once.

The library (5.24) runs its batch on a thread of its own. What it leaves to us, and where:

- A bad request kills the whole loop, so `transformers_engine` validates before anything gets here.
- Cancelling sends no last event: `stream` resolves its own end.
- A dead loop refuses requests silently: `add_request` returns None, which raises here, and the
  watchdog fails what was running and builds the loop anew.
- An id used again before its cancellation was seen would be cancelled too: ids are never reused.
- A step that writes texts may read a whole prompt beside them: `chunked_prefill` cuts the prompt
  into pieces.
- A loop that hangs, in a kernel say, cannot be ended from outside: the watchdog fails what was
  running and says so until a token comes again, so that the process is not asked meanwhile and
  can be replaced.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection, Sequence
from contextlib import suppress
from itertools import count
from time import monotonic
from typing import Any, NamedTuple, Self

from transformers import GenerationConfig

from inference.engines.base import EngineFailed
from inference.engines.batch_config import BatchConfig
from inference.engines.sampling import GREEDY, RequestSampler, SamplingRules
from inference.engines.transformers_patches.chunked_prefill import read_in_pieces
from inference.engines.transformers_patches.prefix_cache import keep_prefixes, report_prefixes

log = logging.getLogger(__name__)

WATCH_S = 0.25
REBUILD_PAUSE_S = 5.0  # between attempts
STOP_S = 20.0
SILENCE_S = 300.0  # longer than any step, on a busy processor or with a graph to capture
PROBE = (0,)  # a prompt that every vocabulary has


class NewTokens(NamedTuple):
    ids: list[int]  # new ones, the end token included
    cached_tokens: int  # of the prompt, found in the cache


class ContinuousBatchingLoop:
    def __init__(
        self,
        model: Any,
        *,
        sizes: BatchConfig,
        end_ids: Collection[int],
        silence_s: float = SILENCE_S,
    ) -> None:
        self._model = model
        self._silence_s = silence_s
        self._asked_at = 0.0  # when there was something to do again, on the monotonic clock
        self._hangs = False
        self._sizes = sizes
        self.piece_tokens = sizes.piece_tokens  # may be changed while it runs
        self._end_ids = sorted(end_ids)
        self._names = count()
        self._sampler = RequestSampler(
            requests=sizes.slots,
            vocabulary=model.get_output_embeddings().weight.size(0),
            device=model.device,
            stream=lambda: self._manager.batch_processor.inputs_and_outputs.compute_stream,
        )
        self._inboxes: dict[str, _Inbox] = {}
        self._cached: dict[str, int] = {}  # tokens of a request's prompt that were known
        self._manager: Any = None
        self._watchdog: asyncio.Task[None] | None = None
        self.rebuilds = 0

    @property
    def broken(self) -> str:
        """Why the loop answers nothing at the moment; empty while it runs."""
        status = self._manager.background_thread_status
        if self._hangs:
            return f"no step for {self._silence_s:.0f} s: starting the worker anew may help"
        if status.fatal_error is not None:
            return repr(status.fatal_error)
        return "" if self._manager.is_running() else "the batching thread ended"

    async def __aenter__(self) -> Self:
        self._manager = await asyncio.to_thread(self._start)
        self._watchdog = asyncio.create_task(self._watch(), name="engine-watchdog")
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
            await asyncio.gather(self._watchdog, return_exceptions=True)
        self._fail_all("the engine is closing")
        await asyncio.to_thread(self._manager.stop, block=True, timeout=STOP_S, hard_stop=True)

    async def stream(
        self, prompt: Sequence[int], draw: SamplingRules, max_new_tokens: int
    ) -> AsyncGenerator[NewTokens, None]:
        """New ids as they are drawn. Closing it frees the slot.

        Expects 0 < len(prompt), ids within the vocabulary, and a length the pool holds.
        Raises EngineFailed when the loop dies.
        """
        name = f"r{next(self._names)}"
        inbox = self._inboxes[name] = _Inbox()
        self._sampler.add(name, draw)
        if len(self._inboxes) == 1:
            self._asked_at = monotonic()
        manager, finished, seen = self._manager, False, 0
        try:
            self._submit(manager, name, prompt, max_new_tokens)
            while not finished:
                output = await inbox.get()
                if output.error:
                    raise EngineFailed(output.error)
                finished = output.is_finished()
                yield NewTokens(output.generated_tokens[seen:], self._cached.get(name, 0))
                seen = len(output.generated_tokens)
        finally:
            del self._inboxes[name]
            self._cached.pop(name, None)
            self._sampler.remove(name)
            if not finished:
                manager.cancel_request(name)
                manager.output_router.result_handlers.pop(name, None)

    def _submit(self, manager: Any, name: str, prompt: Sequence[int], max_new_tokens: int) -> None:
        manager.register_result_handler(name, self._inboxes[name].put)
        accepted = manager.add_request(
            list(prompt),
            request_id=name,
            max_new_tokens=max_new_tokens,
            streaming=True,
            eos_token_id=self._end_ids,
        )
        if accepted is None:
            raise EngineFailed(self.broken)

    def _start(self) -> Any:
        manager = self._model.init_continuous_batching(
            generation_config=GenerationConfig(
                do_sample=False, eos_token_id=self._end_ids, pad_token_id=self._end_ids[0]
            ),
            continuous_batching_config=self._sizes.library_config(),
        )
        manager.logit_processor = self._sampler
        self._manager = manager  # the sampler asks it for its stream
        processor = manager.batch_processor = manager._create_batch_processor()
        if processor.use_async_batching:
            from inference.engines.transformers_patches.cuda_graphs import take_precedence  # noqa: PLC0415

            take_precedence(processor)
        if self._sizes.in_place:
            from inference.engines.transformers_patches.page_tables import name_pages  # noqa: PLC0415

            name_pages(processor)
        manager.warmup()  # compiles, and captures the graphs
        captured, _ = manager.continuous_batching_config.cuda_graph_booleans
        if self._sizes.in_place and captured:
            from inference.engines.transformers_patches.cuda_graphs import capture_prompts  # noqa: PLC0415

            capture_prompts(processor, self._model)
        keep_prefixes(processor.cache)
        report_prefixes(processor.cache, self._cached.__setitem__)
        read_in_pieces(
            processor.scheduler, piece=lambda: self.piece_tokens, row=self._sizes.query_step
        )
        manager.start()
        return manager

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            # Tokens drawn after a request was aborted land in the shared queue.
            while self._manager.get_result(timeout=0) is not None:
                pass
            if reason := self.broken:
                await self._rebuild(reason)
                if self.broken:
                    await asyncio.sleep(REBUILD_PAUSE_S)
            elif self._silent():
                await self._wait_for_life()

    def _silent(self) -> bool:
        last = max(self._asked_at, self._sampler.stepped_at)
        return bool(self._inboxes) and monotonic() - last > self._silence_s

    async def _wait_for_life(self) -> None:
        """Fails what was running, and asks for one token until it comes."""
        self._hangs = True
        log.critical("engine loop hangs", extra={"reason": self.broken})
        self._fail_all(self.broken)
        with suppress(EngineFailed):  # it has died, then, and is built anew
            async for _ in self.stream(PROBE, GREEDY, 1):
                log.warning("engine loop moves again")
        self._hangs = False

    async def _rebuild(self, reason: str) -> None:
        log.error("engine loop died, rebuilding", extra={"reason": reason})
        self._fail_all(reason)
        await asyncio.to_thread(self._manager.stop, block=True, timeout=STOP_S, hard_stop=True)
        try:
            self._manager = await asyncio.to_thread(self._start)
        except RuntimeError:  # out of memory, mostly; the engine stays degraded until it works
            log.exception("engine loop cannot be rebuilt yet")
        else:
            self.rebuilds += 1

    def _fail_all(self, reason: str) -> None:
        for inbox in self._inboxes.values():
            inbox.put(_FailureEvent(reason))


class _FailureEvent:
    """Stands for the last event the library did not send."""

    generated_tokens: tuple[int, ...] = ()

    def __init__(self, reason: str) -> None:
        self.error = reason

    def is_finished(self) -> bool:
        return True


class _Inbox:
    """The newest event of a request, which tells all that those before it told.

    So whoever is late reads several tokens at once, where a queue would keep them later and later.
    """

    def __init__(self) -> None:
        self._event: Any = None
        self._ended = False
        self._arrived = asyncio.Event()

    def put(self, event: Any) -> None:
        if not self._ended:
            self._event, self._ended = event, event.is_finished()
            self._arrived.set()

    async def get(self) -> Any:
        """Waits for one that was not got yet."""
        await self._arrived.wait()
        self._arrived.clear()
        return self._event

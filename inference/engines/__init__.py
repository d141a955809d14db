"""Which engines there are. A heavy library is imported only when its engine is chosen."""

from collections.abc import Callable

from inference.config import WorkerSettings
from inference.engines.base import CannotLoad, Engine
from inference.engines.metered_engine import MeteredEngine
from inference.engines.repetition_guard import GuardedEngine
from inference.metrics import WorkerMetrics


class UnknownEngine(CannotLoad):
    def __init__(self, name: str) -> None:
        super().__init__(f"no engine is called {name!r}; there are {', '.join(sorted(ENGINES))}")


def create_engine(
    name: str, settings: WorkerSettings, metrics: WorkerMetrics | None = None
) -> Engine:
    """Create the engine called `name`; enter it to load its model.

    It ends answers that repeat themselves, and counts and times requests in `metrics`.
    Raises UnknownEngine, and what finding its model raises.
    """
    try:
        make = ENGINES[name]
    except KeyError:
        raise UnknownEngine(name) from None
    engine = GuardedEngine(make(settings))
    return engine if metrics is None else MeteredEngine(engine, metrics)


def _create_auto(settings: WorkerSettings) -> Engine:
    from inference.engines.auto_select import choose_engine  # noqa: PLC0415

    return ENGINES[choose_engine(settings)](settings)


def _create_llamacpp(settings: WorkerSettings) -> Engine:
    from inference.engines.llamacpp.engine import create_llamacpp_engine  # noqa: PLC0415

    return create_llamacpp_engine(settings)


def _create_scripted(settings: WorkerSettings) -> Engine:
    from inference.engines.scripted import SLOTS, ScriptedEngine  # noqa: PLC0415

    return ScriptedEngine(slots=settings.slots or SLOTS)


def _create_transformers(settings: WorkerSettings) -> Engine:
    from inference.models import resolve  # noqa: PLC0415

    files = resolve(settings.model)  # before the slow import: a missing model is told at once
    from inference.engines.device_placement import Placement  # noqa: PLC0415
    from inference.engines.transformers_engine import TransformersEngine  # noqa: PLC0415

    return TransformersEngine(
        model=files.name,
        folder=files.folder,
        adapter=files.adapter,
        slots=settings.slots,
        context_tokens=settings.context_tokens or 4096,
        max_tokens=settings.max_tokens,
        threads=settings.threads,
        compiled=settings.compiled,
        chats=settings.chats,
        placement=Placement(settings.quantize, settings.spread),
    )


def _create_openai(settings: WorkerSettings) -> Engine:
    from inference.engines.openai.engine import create_openai_engine  # noqa: PLC0415

    return create_openai_engine(settings)


ENGINES: dict[str, Callable[[WorkerSettings], Engine]] = {
    "auto": _create_auto,
    "llamacpp": _create_llamacpp,
    "openai": _create_openai,
    "scripted": _create_scripted,
    "transformers": _create_transformers,
}

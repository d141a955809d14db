"""Which engines there are. A heavy library is imported only when its engine is chosen."""

from collections.abc import Callable

from inference.config import WorkerSettings
from inference.engines.base import CannotLoad, Engine
from inference.engines.repetition_guard import GuardedEngine


class UnknownEngine(CannotLoad):
    def __init__(self, name: str) -> None:
        super().__init__(f"no engine is called {name!r}; there are {', '.join(sorted(ENGINES))}")


def create_engine(name: str, settings: WorkerSettings) -> Engine:
    """The engine called `name`, not yet loaded: enter it to load. It ends answers that loop.

    Raises UnknownEngine, and what finding its model raises.
    """
    try:
        make = ENGINES[name]
    except KeyError:
        raise UnknownEngine(name) from None
    return GuardedEngine(make(settings))


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

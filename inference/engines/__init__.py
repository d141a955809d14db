"""Which engines there are. A heavy library is imported only when its engine is chosen."""

from collections.abc import Callable

from inference.config import Settings
from inference.engines.base import CannotLoad, Engine


class UnknownEngine(CannotLoad):
    def __init__(self, name: str) -> None:
        super().__init__(f"no engine is called {name!r}; there are {', '.join(sorted(ENGINES))}")


def create(name: str, settings: Settings) -> Engine:
    """The engine called `name`, not yet loaded: enter it to load.

    Raises UnknownEngine, and what finding its model raises.
    """
    try:
        make = ENGINES[name]
    except KeyError:
        raise UnknownEngine(name) from None
    return make(settings)


def _auto(settings: Settings) -> Engine:
    from inference.engines.auto_select import choose  # noqa: PLC0415

    return ENGINES[choose(settings)](settings)


def _llamacpp(settings: Settings) -> Engine:
    from inference.engines.llamacpp.engine import engine  # noqa: PLC0415

    return engine(settings)


def _scripted(settings: Settings) -> Engine:
    from inference.engines.scripted import SLOTS, ScriptedEngine  # noqa: PLC0415

    return ScriptedEngine(slots=settings.slots or SLOTS)


def _transformers(settings: Settings) -> Engine:
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


def _openai(settings: Settings) -> Engine:
    from inference.engines.openai.config import engine  # noqa: PLC0415

    return engine(settings)


ENGINES: dict[str, Callable[[Settings], Engine]] = {
    "auto": _auto,
    "llamacpp": _llamacpp,
    "openai": _openai,
    "scripted": _scripted,
    "transformers": _transformers,
}

"""A tool is a typed, documented function: its signature becomes the schema that a model is told.

    async def convert(value: float, unit: str, to: str) -> str:
        '''Convert a quantity from one unit to another.

        value: how much of it
        unit: what it is measured in, as `km/h`
        to: the unit that is wanted
        '''

A first parameter `context` is not the model's business: it carries what belongs to the job.
"""

import inspect
import re
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from common import tracing
from inference.sandbox.client import Sandbox
from inference.sandbox.result import ProgramFigure
from jobqueue.schema import CallStatus, Turn

MAX_SHOWN = 4_000  # characters of what a call returned, to a model and to a person


class ToolFailed(Exception):
    """The call came to nothing; the message is for the model, which may try another way."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a call."""

    text: str
    status: CallStatus = CallStatus.OK
    figures: tuple[ProgramFigure, ...] = ()
    duration_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The data of one job."""

    sandbox: Sandbox | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)  # by the names a program opens
    pictures: Mapping[str, bytes] = field(default_factory=dict)  # PNG and JPEG, by name
    turns: tuple[Turn, ...] = ()  # of the conversation, oldest first
    question: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    name: str
    description: str
    parameters: Mapping[str, Any]  # JSON Schema of an object
    function: Callable[..., Awaitable[str | Outcome]]
    takes_context: bool
    arguments: type[msgspec.Struct]  # what the schema describes, for checking

    async def call(self, context: Context, arguments: Mapping[str, object]) -> Outcome:
        """Checks `arguments`, then calls. Raises ToolFailed."""
        try:
            given = msgspec.convert(dict(arguments), self.arguments, strict=False)
        except msgspec.ValidationError as error:
            raise ToolFailed(f"{self.name}: {error}") from error
        with tracing.start_span("tool", tool=self.name) as span:
            said = await self.function(
                *([context] if self.takes_context else []), **msgspec.structs.asdict(given)
            )
            outcome = said if isinstance(said, Outcome) else Outcome(said)
            span.set_attributes(tracing.attributes(status=outcome.status))
        return outcome


def tool(function: Callable[..., Awaitable[str | Outcome]]) -> Tool:
    """The tool that `function` is, by its signature and docstring."""
    signature = inspect.signature(function)
    hints = typing.get_type_hints(function)
    names = [name for name in signature.parameters if name != "context"]
    description, notes = _parse_docstring(function)
    if undocumented := [name for name in names if name not in notes]:
        raise TypeError(f"{function.__name__}: no words on {', '.join(undocumented)}")
    fields: list[Any] = []
    for name in names:
        default = signature.parameters[name].default
        note = msgspec.Meta(description=notes[name])
        kind = typing.cast("Any", typing.Annotated)[hints[name], note]
        fields.append((name, kind) if default is inspect.Parameter.empty else (name, kind, default))
    arguments = msgspec.defstruct(function.__name__, fields, forbid_unknown_fields=True)
    return Tool(
        name=function.__name__,
        description=description,
        parameters=_schema(arguments),
        function=function,
        takes_context="context" in signature.parameters,
        arguments=arguments,
    )


def cut(text: str, limit: int = MAX_SHOWN) -> str:
    """Return the text, or the beginning and end of a long one."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters left out …\n{text[-half:]}"


def _parse_docstring(function: Callable[..., object]) -> tuple[str, dict[str, str]]:
    head, _, rest = (inspect.getdoc(function) or "").partition("\n\n")
    notes = dict(re.findall(r"^(\w+): (.+)$", rest, re.MULTILINE))
    return " ".join(head.split()), notes


def _schema(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    _, components = msgspec.json.schema_components([arguments])
    described = components[arguments.__name__]
    return {key: described[key] for key in ("type", "properties", "required")}

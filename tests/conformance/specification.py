"""Discord's published OpenAPI description, and what of an exchange breaks it."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import ValidationError

from tests.conformance.record import Exchange

# Beside the project, since it is not part of it; CONFORMANCE_SPEC names another place.
DEFAULT = Path(__file__).parents[3] / "shared" / "conformance" / "discord-openapi.json"
SOURCE = "https://github.com/discord/discord-api-spec, file specs/openapi.json (MIT licence)"
JSON, FORM = "application/json", "multipart/form-data"
FORMATS = FormatChecker(())
MESSAGE_CHARACTERS = 160


@FORMATS.checks("snowflake")
def is_snowflake(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"0|[1-9]\d{0,19}|@original", value))


@dataclass(frozen=True)
class Operation:
    name: str  # "GET /channels/{channel_id}"
    path: re.Pattern[str]
    parameters: dict[str, Any]  # those of the query, by name
    bodies: dict[str, Any]  # schemas by content type
    needs_body: bool
    responses: dict[str, Any]  # schemas by status; None where there is no body


class Specification:
    def __init__(self, document: dict[str, Any]) -> None:
        # Several of Discord's alternatives overlap, so that `oneOf` means any of them.
        self._document = _amend(_rename(document, "oneOf", "anyOf"))
        self._operations: dict[str, list[Operation]] = {}
        for template, item in self._document["paths"].items():
            for method, operation in item.items():
                if method in ("get", "post", "put", "patch", "delete"):
                    found = self._operation(method.upper(), template, item, operation)
                    self._operations.setdefault(method.upper(), []).append(found)
        for operations in self._operations.values():
            # "/users/@me" goes before "/users/{user_id}".
            operations.sort(key=lambda each: each.name.count("{"))
        self._sent_components = _with_integer_ids(self._document["components"])
        self._validators: dict[tuple[str, bool], Draft202012Validator] = {}

    @staticmethod
    def place() -> Path:
        return Path(os.environ.get("CONFORMANCE_SPEC") or DEFAULT)

    @classmethod
    def read(cls, path: Path) -> "Specification":
        return cls(json.loads(path.read_text("utf-8")))

    def faults(self, exchange: Exchange) -> Iterator[str]:
        """What is wrong with the exchange, one line each."""
        found = self._operations.get(exchange.method, ())
        operation = next((each for each in found if each.path.fullmatch(exchange.path)), None)
        if operation is None:
            yield f"no such operation: {exchange.method} {without_ids(exchange.path)}"
            return
        # What Discord has refused need not be sound, but its refusal is.
        if exchange.status < 400:
            for fault in self._faults_of_request(operation, exchange):
                yield f"{operation.name}, request: {fault}"
        for fault in self._faults_of_response(operation, exchange):
            yield f"{operation.name}, response {exchange.status}: {fault}"

    def _operation(self, method: str, template: str, item: Any, operation: Any) -> Operation:
        pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))
        parameters = [*item.get("parameters", ()), *operation.get("parameters", ())]
        resolved = map(self._resolve, parameters)
        body = self._resolve(operation.get("requestBody", {}))
        responses = {
            status: self._resolve(response).get("content", {}).get(JSON, {}).get("schema")
            for status, response in operation["responses"].items()
        }
        return Operation(
            name=f"{method} {template}",
            path=re.compile(pattern),
            parameters={each["name"]: each for each in resolved if each["in"] == "query"},
            bodies={kind: each["schema"] for kind, each in body.get("content", {}).items()},
            needs_body=bool(body.get("required")),
            responses=responses,
        )

    def _resolve(self, node: Any) -> Any:
        while "$ref" in node:
            target = self._document
            for key in node["$ref"].removeprefix("#/").split("/"):
                target = target[key]
            node = target
        return node

    def _faults_of_request(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        for name, value in exchange.query.items():
            parameter = operation.parameters.get(name)
            if parameter is None:
                yield f"unknown parameter {name}"
            elif all(self._wrong(parameter["schema"], each, sent=True) for each in _read(value)):
                yield f"parameter {name}={value}"
        for name, parameter in operation.parameters.items():
            if parameter.get("required") and name not in exchange.query:
                yield f"lacks the parameter {name}"
        if exchange.body is None:
            if operation.needs_body:
                yield "lacks a body"
            return
        kind = JSON if exchange.files is None else FORM
        if kind not in operation.bodies:
            yield f"{kind} is not taken"
            return
        # In a form, `payload_json` holds what would be the JSON body.
        schema = operation.bodies.get(JSON) or operation.bodies[kind]
        yield from self._wrong(schema, exchange.body, sent=True)

    def _faults_of_response(self, operation: Operation, exchange: Exchange) -> Iterator[str]:
        status = str(exchange.status)
        key = next((each for each in (status, f"{status[0]}XX") if each in operation.responses), "")
        if not key:
            yield "such a status is not foreseen"
            return
        schema = operation.responses[key]
        if schema is None:
            if exchange.response is not None:
                yield "has a body"
        else:
            yield from self._wrong(schema, exchange.response, sent=False)

    def _wrong(self, schema: Any, value: Any, *, sent: bool) -> list[str]:
        errors = self._validator(json.dumps(schema), sent=sent).iter_errors(value)
        return [line for error in errors for line in _lines(error)]

    def _validator(self, schema: str, *, sent: bool) -> Draft202012Validator:
        """The one for a schema, which may refer to any part of the document."""
        key = (schema, sent)
        if key not in self._validators:
            wanted = json.loads(schema)
            components = self._sent_components if sent else self._document["components"]
            if sent:
                wanted = _with_integer_ids(wanted)
            whole = {"allOf": [wanted], "components": components}
            self._validators[key] = Draft202012Validator(whole, format_checker=FORMATS)
        return self._validators[key]


def without_ids(path: str) -> str:
    return re.sub(r"/[^/]*\d{6,}[^/]*(?:/[\w-]{40,})?", "/…", path)


def _lines(error: ValidationError) -> Iterator[str]:
    """An error of alternatives is said by those of the alternative that fits best."""
    if not error.context:
        place = "/".join("N" if isinstance(key, int) else key for key in error.absolute_path)
        yield f"{place or 'body'}: {_shorten(error.message)}"
        return
    alternatives: dict[Any, list[str]] = {}
    for inner in error.context:
        alternatives.setdefault(inner.schema_path[0], []).extend(_lines(inner))
    # One whose `type` is another is a wrong one, however little else is wrong with it.
    yield from min(
        alternatives.values(),
        key=lambda lines: (sum(map(_is_of_another_kind, lines)), len(lines)),
    )


def _shorten(message: str) -> str:
    """Both ends, between which the value stands."""
    half = MESSAGE_CHARACTERS // 2
    return message if len(message) <= 2 * half else f"{message[:half]}…{message[-half:]}"


def _is_of_another_kind(line: str) -> bool:
    return "type: " in line or line.endswith("is not of type 'null'")


def _amend(document: Any) -> Any:
    """What the specification says otherwise than Discord and its documentation do.

    The code of a field's error is a word (docs/reference#error-messages), and a reference may
    forward a message (docs/resources/message#message-reference-types).
    """
    schemas = document["components"]["schemas"]
    if "InnerErrors" in schemas:
        word = {"type": "object", "required": ["code", "message"]}
        schemas["InnerErrors"]["properties"]["_errors"]["items"] = word
    if "MessageReferenceType" in schemas:
        schemas["MessageReferenceType"] = {"enum": [0, 1]}
    return document


def _rename(node: Any, old: str, new: str) -> Any:
    if isinstance(node, dict):
        return {new if key == old else key: _rename(each, old, new) for key, each in node.items()}
    return [_rename(each, old, new) for each in node] if isinstance(node, list) else node


def _with_integer_ids(node: Any) -> Any:
    """In requests Discord takes integers for ids."""
    if isinstance(node, list):
        return [_with_integer_ids(each) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("format") == "snowflake":
        kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
        return {**node, "type": [*kinds, "integer"]}
    return {key: _with_integer_ids(each) for key, each in node.items()}


def _read(value: str) -> Iterator[Any]:
    """What a parameter of an address may mean."""
    yield value
    if value.lower() in ("true", "false", "1", "0"):
        yield value.lower() in ("true", "1")
    if re.fullmatch(r"-?\d{1,20}", value):
        yield int(value)

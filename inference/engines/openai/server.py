"""One OpenAI-compatible server: what it serves, and whether it is up."""

import asyncio
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
from yarl import URL

from inference.engines.base import BadRequest, Message, Request
from inference.engines.openai import http_client, request_body
from inference.engines.openai.errors import (
    EndpointMissing,
    ParametersRejected,
    ServerBusy,
    ServerFailed,
    ServerMisconfigured,
    ServerUnreachable,
    readable,
)
from inference.engines.openai.request_body import FLAVOURS, PLAIN, ServerQuirks

log = logging.getLogger(__name__)

MOST_TOLD = 20  # names of models
MOST_CONTEXT = 100_000_000  # tokens; more is no size of a context
SLOTS = 32  # of a server that does not tell how many answers it writes at once

# Names of models whose templates often open the reasoning: DeepSeek-R1, QwQ, Qwen3-…-Thinking.
_REASONS = re.compile(
    r"(?<![a-z])(?:r1|qwq|reasoner|reasoning)(?![a-z0-9])|(?<!non-)(?<!no)thinking", re.IGNORECASE
)
_CONTEXTS = ("max_model_len", "context_length", "context_window", "max_context_length")


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """The operator's options. Everything else comes from the server."""

    model: str
    any_model: bool = False  # where `model` is not served, take the only one that is
    flavour: ServerQuirks | None = None
    vision: bool = False
    tools: bool = False  # are to be told to the server, if it takes them


@dataclass(frozen=True, slots=True)
class ServedModel:
    model: str
    flavour: ServerQuirks
    vision: bool
    context_tokens: int  # 0 where it does not tell
    slots: int
    takes_tools: bool = False


class Server:
    def __init__(self, url: str, session: aiohttp.ClientSession, wanted: ServerOptions) -> None:
        """`url` ends where the protocol's paths begin, mostly in `/v1`."""
        self.url = url
        self._base = URL(url)
        self.name = str(self._base.with_user(None).with_query(None))  # for people: no secrets
        self.served: ServedModel | None = None
        self.trouble: ServerFailed | None = ServerFailed("not asked yet")
        self.rests_until = 0.0  # of the loop's clock
        self.session = session
        self._wanted = wanted
        # Whether its template writes the mark that opens reasoning, as the last answer told.
        self.opens_reasoning: bool | None = None
        self._refused: frozenset[str] = frozenset()  # parameters that it does not take

    def at(self, path: str) -> str:
        """Return where the protocol has `path`; what an address asks for, as Azure's version,
        stays."""
        return _below(self._base, path)

    async def look(self) -> None:
        """Learn how it is and what it serves."""
        try:
            served = await self._what_is_served()
            self.served = replace(served, takes_tools=await self._takes_tools(served))
        except (ServerFailed, BadRequest) as error:
            self._is_down(error if isinstance(error, ServerFailed) else ServerFailed(str(error)))
        else:
            if self.trouble is not None:
                log.info("server is up", extra={"url": self.name, "model": self.served.model})
            self.trouble = None

    def note_failure(self, how: ServerFailed) -> None:
        """Note how it failed at a request."""
        log.warning("server failed", extra={"url": self.name, "reason": str(how)})
        if isinstance(how, ServerBusy):
            self.rests_until = asyncio.get_running_loop().time() + how.rest_s
        if isinstance(how, ServerUnreachable):
            self._is_down(how)

    def expects_unopened(self, request: Request) -> bool:
        """Return whether an answer may begin within reasoning: before the first one, by the model's
        name."""
        if self.opens_reasoning is not None or self.served is None or request.thinking is False:
            return bool(self.opens_reasoning)
        return bool(_REASONS.search(self.served.model))

    def without_refused(self, body: request_body.Json) -> request_body.Json:
        """Return the body without the parameters that this server has refused."""
        kept = {name: value for name, value in body.items() if name not in self._refused}
        limit = "max_completion_tokens"  # the newer name
        if "max_tokens" in body and "max_tokens" in self._refused and limit not in self._refused:
            kept[limit] = body["max_tokens"]
        if "stream" in self._refused:
            kept.pop("stream_options", None)
        return kept

    def refuse(self, error: ParametersRejected) -> None:
        """Remember what this server does not take. Raises `error` where that is known already."""
        if error.names <= self._refused:
            raise error
        self._refused |= error.names
        told = {"url": self.name, "reason": str(error)}
        log.warning("server is asked without %s", ", ".join(sorted(error.names)), extra=told)
        if "tools" in error.names and self.served is not None:
            self.served = replace(self.served, takes_tools=False)

    def _is_down(self, trouble: ServerFailed) -> None:
        """Use the server no more until it answers a check."""
        if self.trouble is None:
            log.warning("server is down", extra={"url": self.name, "reason": str(trouble)})
        self.trouble = trouble

    async def count(self, messages: Sequence[Message]) -> int:
        """Count the messages' tokens in the server's template, without images, which no server
        counts in advance. Raises ServerFailed if it cannot count."""
        served = self.served
        if served is None:
            raise ServerFailed("it cannot tell")
        texts = [replace(message, images=()) for message in messages]
        said: request_body.Json = {
            "model": served.model,
            "messages": request_body.messages(texts),
            **request_body.written_on(messages, served.flavour),
        }
        try:
            return await _COUNTERS[served.flavour.name](self, said)
        except (KeyError, TypeError, BadRequest) as error:
            raise ServerFailed("it cannot tell") from error

    async def ask_root(self, path: str, body: request_body.Json) -> Any:
        """Ask for something that the server has beside the protocol."""
        base = self._base.with_path(self._base.path.removesuffix("/v1") or "/", keep_query=True)
        url = _below(base, path)
        return await http_client.ask(self.session, "POST" if body else "GET", url, body or None)

    async def _what_is_served(self) -> ServedModel:
        card = self._choose(await self._list_models())
        flavour = self._wanted.flavour or FLAVOURS.get(str(card.get("owned_by")), PLAIN)
        props = await self._props() if flavour.name == "llamacpp" else {}
        modalities = props.get("modalities")
        sees = isinstance(modalities, dict) and modalities.get("vision") is True
        return ServedModel(
            model=str(card["id"]),
            flavour=flavour,
            vision=self._wanted.vision or sees,
            context_tokens=_context_tokens(card),
            slots=_positive(props.get("total_slots")) or SLOTS,
        )

    async def _list_models(self) -> list[Any]:
        """Return what it says of its models; nothing where it keeps no list, or one that makes no
        sense, and the operator names the model."""
        try:
            listing = await http_client.ask(self.session, "GET", self.at("models"))
        except (ServerBusy, ServerUnreachable, ServerMisconfigured):
            raise
        except (EndpointMissing, BadRequest) as error:
            if self._wanted.any_model or not self._wanted.model:
                raise ServerFailed(
                    f"it lists no models ({error}): name one with INFERENCE_MODEL"
                ) from None
            return []
        if isinstance(listing, dict):
            listing = next(filter(None, (listing.get(key) for key in ("data", "models"))), None)
        return listing if isinstance(listing, list) else []

    async def _props(self) -> dict[str, Any]:
        try:
            props = await self.ask_root("props", {})
        except ServerUnreachable:
            raise
        except (ServerFailed, BadRequest):  # they can be turned off
            return {}
        return props if isinstance(props, dict) else {}

    async def _takes_tools(self, served: ServedModel) -> bool:
        """Asked once: a server that was started without a parser of calls refuses them."""
        if not self._wanted.tools:
            return False
        if self.served is not None and self.trouble is None:
            return self.served.takes_tools
        body = request_body.probe(served.model)
        while True:
            try:
                url = self.at("chat/completions")
                await http_client.ask(self.session, "POST", url, self.without_refused(body))
            except (ServerBusy, ServerUnreachable, ServerMisconfigured):
                raise
            except ParametersRejected as error:
                if "tools" not in error.names:
                    self.refuse(error)
                    continue
                self._tell_no_tools(error)
                return False
            except (ServerFailed, BadRequest) as error:
                self._tell_no_tools(error)
                return False
            return True

    def _tell_no_tools(self, error: Exception) -> None:
        told = {"url": self.name, "reason": str(error)}
        log.warning("server takes no tools", extra=told)

    def _choose(self, listed: list[Any]) -> dict[str, Any]:
        """The wanted model's card. Where nothing is listed, it is the operator's word alone."""
        wanted = self._wanted.model
        cards = [card for each in listed if (card := _card(each))]
        for card in cards:
            if wanted in _names(card):
                return card | {"id": wanted}
        if self._wanted.any_model and len(cards) == 1:
            return cards[0]
        if not cards and wanted and not self._wanted.any_model:
            return {"id": wanted}
        served = ", ".join(sorted(readable(str(card["id"])) for card in cards)[:MOST_TOLD])
        raise ServerMisconfigured(f"it serves {served or 'no model'}: choose with INFERENCE_MODEL")


def _below(base: URL, path: str) -> str:
    return str((base / path).with_query(base.query))


def _card(listed: Any) -> dict[str, Any] | None:
    """A model of a list, whose entries are objects or names alone."""
    if isinstance(listed, str) and listed:
        return {"id": listed}
    if not isinstance(listed, dict):
        return None
    name = next(filter(None, (listed.get(key) for key in ("id", "name", "model"))), None)
    return None if name is None else listed | {"id": str(name)}


def _names(card: dict[str, Any]) -> set[str]:
    """Return what the model of `card` may be called: some lists say more than its name."""
    name = str(card["id"])
    aliases = card.get("aliases")
    others = map(str, aliases) if isinstance(aliases, list) else ()
    return {name, name.removeprefix("models/"), name.removesuffix(":latest"), *others}


def _context_tokens(card: dict[str, Any]) -> int:
    meta = card.get("meta")
    told = [card.get(key) for key in _CONTEXTS]
    told += [meta.get("n_ctx")] if isinstance(meta, dict) else []
    return next(filter(None, map(_positive, told)), 0)


def _positive(value: Any) -> int:
    """A number above nothing, also of one that came as text; 0 for anything else."""
    try:
        number = 0 if isinstance(value, bool) else int(value)
    except (TypeError, ValueError, OverflowError):
        return 0
    return number if 0 < number <= MOST_CONTEXT else 0


async def _count_as_vllm(server: Server, said: request_body.Json) -> int:
    return int((await server.ask_root("tokenize", said))["count"])


async def _count_as_llamacpp(server: Server, said: request_body.Json) -> int:
    prompt = (await server.ask_root("apply-template", said))["prompt"]
    body: request_body.Json = {"content": prompt, "parse_special": True, "add_special": True}
    return len((await server.ask_root("tokenize", body))["tokens"])


_COUNTERS = {"vllm": _count_as_vllm, "llamacpp": _count_as_llamacpp}

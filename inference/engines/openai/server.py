"""One OpenAI-compatible server: what it serves, and whether it is up."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import aiohttp

from inference.engines.base import BadRequest, Message
from inference.engines.openai import bodies, wire
from inference.engines.openai.errors import Busy, Misconfigured, Refused, Unreachable
from inference.engines.openai.flavours import FLAVOURS, PLAIN, Flavour

log = logging.getLogger(__name__)

SLOTS = 32  # of a server that does not tell how many answers it writes at once


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator says; the rest is the server's to tell."""

    model: str
    any_model: bool = False  # where `model` is not served, take the only one that is
    flavour: Flavour | None = None
    vision: bool = False
    tools: bool = False  # are to be told to the server, if it takes them


@dataclass(frozen=True, slots=True)
class Served:
    model: str
    flavour: Flavour
    vision: bool
    context_tokens: int  # 0 where it does not tell
    slots: int
    takes_tools: bool = False


class Server:
    def __init__(self, url: str, session: aiohttp.ClientSession, wanted: Wanted) -> None:
        """`url` ends where the protocol's paths begin, mostly in `/v1`."""
        self.url = url
        self.served: Served | None = None
        self.trouble: Refused | None = Refused("not asked yet")
        self.last_failure = ""
        self.rests_until = 0.0  # of the loop's clock
        self.session = session
        self._wanted = wanted

    async def look(self) -> None:
        """Learn how it is and what it serves."""
        try:
            served = await self._what_is_served()
            self.served = replace(served, takes_tools=await self._takes_tools(served))
        except (Refused, BadRequest) as error:
            self._is_down(error if isinstance(error, Refused) else Refused(str(error)))
        else:
            if self.trouble is not None:
                log.info("server is up", extra={"url": self.url, "model": self.served.model})
            self.trouble = None

    def failed(self, how: Refused) -> None:
        """Note how it failed at a request."""
        self.last_failure = str(how)
        log.warning("server failed", extra={"url": self.url, "reason": str(how)})
        if isinstance(how, Busy):
            self.rests_until = asyncio.get_running_loop().time() + how.rest_s
        if isinstance(how, Unreachable):
            self._is_down(how)

    def _is_down(self, trouble: Refused) -> None:
        """Until it answers a look again."""
        if self.trouble is None:
            log.warning("server is down", extra={"url": self.url, "reason": str(trouble)})
        self.trouble = trouble

    async def count(self, messages: Sequence[Message]) -> int:
        """Tokens of `messages` as its template writes them, but of their pictures, which no server
        counts ahead. Raises Refused where it cannot tell."""
        served = self.served
        if served is None:
            raise Refused("it cannot tell")
        texts = [replace(message, images=()) for message in messages]
        said: bodies.Json = {
            "model": served.model,
            "messages": bodies.messages(texts),
            **bodies.written_on(messages, served.flavour),
        }
        try:
            return await _COUNTERS[served.flavour.name](self, said)
        except (KeyError, TypeError, BadRequest) as error:
            raise Refused("it cannot tell") from error

    async def ask_root(self, path: str, body: bodies.Json) -> Any:
        """Of what a server keeps beside the protocol."""
        url = f"{self.url.removesuffix('/v1')}/{path}"
        return await wire.ask(self.session, "POST" if body else "GET", url, body or None)

    async def _what_is_served(self) -> Served:
        listing = await wire.ask(self.session, "GET", f"{self.url}/models")
        try:
            card = self._choose({str(card["id"]): card for card in listing["data"]})
            flavour = self._wanted.flavour or FLAVOURS.get(str(card.get("owned_by")), PLAIN)
            props = await self.ask_root("props", {}) if flavour.name == "llamacpp" else {}
            return Served(
                model=card["id"],
                flavour=flavour,
                vision=self._wanted.vision or props.get("modalities", {}).get("vision", False),
                context_tokens=card.get("max_model_len") or card.get("meta", {}).get("n_ctx") or 0,
                slots=props.get("total_slots", SLOTS),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise Refused("its list of models makes no sense") from error

    async def _takes_tools(self, served: Served) -> bool:
        """Asked once: a server that was started without a parser of calls refuses them."""
        if not self._wanted.tools:
            return False
        if self.served is not None and self.trouble is None:
            return self.served.takes_tools
        try:
            body = bodies.probe(served.model)
            await wire.ask(self.session, "POST", f"{self.url}/chat/completions", body)
        except (Busy, Unreachable, Misconfigured):
            raise
        except (Refused, BadRequest) as error:
            log.warning("server takes no tools", extra={"url": self.url, "reason": str(error)})
            return False
        return True

    def _choose(self, cards: dict[str, Any]) -> Any:
        if self._wanted.model in cards:
            return cards[self._wanted.model]
        if self._wanted.any_model and len(cards) == 1:
            return next(iter(cards.values()))
        raise Misconfigured(
            f"it serves {', '.join(sorted(cards)) or 'no model'}: choose with INFERENCE_MODEL"
        )


async def _count_as_vllm(server: Server, said: bodies.Json) -> int:
    return int((await server.ask_root("tokenize", said))["count"])


async def _count_as_llamacpp(server: Server, said: bodies.Json) -> int:
    prompt = (await server.ask_root("apply-template", said))["prompt"]
    body: bodies.Json = {"content": prompt, "parse_special": True, "add_special": True}
    return len((await server.ask_root("tokenize", body))["tokens"])


_COUNTERS = {"vllm": _count_as_vllm, "llamacpp": _count_as_llamacpp}

"""From the operator's settings to an engine, or a sentence that says what is wrong with them."""

from urllib.parse import urlsplit

from inference.config import DEFAULT_MODEL, Settings
from inference.engines.base import CannotLoad
from inference.engines.openai.engine import OpenAIEngine
from inference.engines.openai.flavours import FLAVOURS, Flavour
from inference.engines.openai.server import Wanted


def engine(settings: Settings) -> OpenAIEngine:
    """Raises CannotLoad for settings that cannot work."""
    wanted = Wanted(
        model=settings.model,
        any_model=settings.model == DEFAULT_MODEL,  # nobody chose it
        flavour=_flavour(settings.server) if settings.server else None,
        vision=settings.vision,
        tools=settings.dialect == "native",
    )
    return OpenAIEngine(
        base_urls(settings.base_urls),
        wanted,
        api_key=settings.api_key,
        slots=settings.slots,
        context_tokens=settings.context_tokens,
        max_tokens=settings.max_tokens,
    )


def base_urls(listed: str) -> tuple[str, ...]:
    """Addresses out of a list with commas; one without a path gets the usual `/v1`."""
    urls = tuple(dict.fromkeys(map(_base_url, filter(None, map(str.strip, listed.split(","))))))
    if not urls:
        raise CannotLoad("INFERENCE_BASE_URLS names no server, such as http://localhost:8000/v1")
    return urls


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise CannotLoad(f"INFERENCE_BASE_URLS: {url!r} is no http address")
    return url.rstrip("/") if parts.path.strip("/") else f"{url.rstrip('/')}/v1"


def _flavour(name: str) -> Flavour:
    if name not in FLAVOURS:
        raise CannotLoad(f"INFERENCE_SERVER: {name!r} is none of {', '.join(sorted(FLAVOURS))}")
    return FLAVOURS[name]

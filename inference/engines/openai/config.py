"""Creates an engine from the operator's settings, or says what is wrong with them."""

from yarl import URL

from inference.config import DEFAULT_MODEL, WorkerSettings
from inference.engines.base import CannotLoad
from inference.engines.openai.engine import OpenAIEngine
from inference.engines.openai.errors import readable
from inference.engines.openai.server import ServerOptions
from inference.engines.openai.server_quirks import FLAVOURS, ServerQuirks


def engine(settings: WorkerSettings) -> OpenAIEngine:
    """Raises CannotLoad for settings that cannot work."""
    wanted = ServerOptions(
        model=settings.model,
        any_model=settings.model == DEFAULT_MODEL,  # nobody chose it
        flavour=_flavour(settings.server) if settings.server else None,
        vision=settings.vision,
        tools=settings.dialect == "native",
    )
    urls = base_urls(settings.base_urls)
    if settings.api_key and any(URL(url).user for url in urls):
        raise CannotLoad("INFERENCE_BASE_URLS names a user, INFERENCE_API_KEY a key: take one")
    return OpenAIEngine(
        urls,
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


def _base_url(text: str) -> str:
    try:
        url = URL(text)
        _ = url.port  # is read only now
    except ValueError:
        url = URL()
    if url.scheme not in ("http", "https") or not url.host:
        shown = "" if "@" in text else f"{readable(text)!r} "
        raise CannotLoad(f"INFERENCE_BASE_URLS: {shown or 'an address '}is no http address")
    path = url.path.rstrip("/")
    return str(url.with_path(path or "/v1", keep_query=True))


def _flavour(name: str) -> ServerQuirks:
    if name not in FLAVOURS:
        raise CannotLoad(f"INFERENCE_SERVER: {name!r} is none of {', '.join(sorted(FLAVOURS))}")
    return FLAVOURS[name]

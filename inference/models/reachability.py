"""Checks whether a server answers at an address. Known within a bound, whatever the network does.

A client library retries a dead hub for most of a minute. Here a thread asks once, and is left
behind when it takes too long: a name server that never answers cannot be interrupted.
"""

import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping
from time import monotonic
from typing import TypeVar

Name = TypeVar("Name", bound=str)

BOUND_S = 2.5  # name look-up, connection, TLS and the first line of an answer


def unreachable(urls: Mapping[Name, str], within_s: float = BOUND_S) -> dict[Name, str]:
    """Why there is no answer, for each name whose URL gives none; all are asked at once."""
    answers: queue.SimpleQueue[tuple[Name, str | None]] = queue.SimpleQueue()
    for name, url in urls.items():
        threading.Thread(
            target=lambda name=name, url=url: answers.put((name, _connect(url, within_s))),
            daemon=True,
        ).start()
    reasons = dict.fromkeys(urls, f"no answer within {within_s:g} s")
    end = monotonic() + within_s
    for _ in urls:
        try:
            name, reason = answers.get(timeout=max(0.0, end - monotonic()))
        except queue.Empty:
            break
        if reason is None:
            del reasons[name]
        else:
            reasons[name] = reason
    return reasons


def _connect(url: str, timeout_s: float) -> str | None:
    """None when somebody answers, were it with 404; proxies of the environment are used."""
    request = urllib.request.Request(url, method="HEAD")  # noqa: S310  # http(s) only, see below
    if request.type not in ("http", "https"):
        return f"{url} is no http address"
    try:
        urllib.request.urlopen(request, timeout=timeout_s).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        with error:
            return None if error.code < 500 else f"it answers {error.code}"
    except urllib.error.URLError as error:
        return str(error.reason)
    except OSError as error:  # the connection broke while the answer was read
        return str(error)
    return None

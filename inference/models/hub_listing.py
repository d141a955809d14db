"""The files of a model on the two official hubs, without any code.

Each is asked over its plain HTTP interface, so that no version of a client library decides what
works. Addresses are read as the hubs' own clients read them: HF_ENDPOINT, and MODELSCOPE_ENDPOINT
or MODELSCOPE_DOMAIN. The token for gated models is huggingface_hub's (HF_TOKEN, `hf auth login`).
"""

import json
import os
import queue
import threading
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from time import monotonic
from typing import Any, TypeVar
from urllib.parse import quote

from inference.models.catalog import Known
from inference.models.download import Listing, RemoteFile
from inference.models.errors import SourceUnreachable

# Weights as safetensors, configuration and tokenizer of the top folder. No *.py: a model's own
# code is never run. No pickles.
WANTED = ("*.safetensors", "*.json", "*.model", "*.jinja", "merges.txt", "vocab.txt", "LICENSE*")
ANSWER_S = 15  # for a listing


def hub_address() -> str:
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or "https://huggingface.co"


def modelscope_address() -> str:
    domain = os.environ.get("MODELSCOPE_ENDPOINT") or os.environ.get("MODELSCOPE_DOMAIN")
    domain = (domain or "www.modelscope.cn").rstrip("/")
    return domain if "://" in domain else f"https://{domain}"


def hub_listing(known: Known, wanted: Sequence[str] = WANTED) -> Listing:
    """The newest commit on the Hugging Face hub. Raises SourceUnreachable where it refuses."""
    from huggingface_hub import get_token  # noqa: PLC0415  # slow to import

    token = get_token()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    address = hub_address()
    info = _ask(f"{address}/api/models/{known.hub}?blobs=true", headers)
    try:
        revision = str(info["sha"])
        base = f"{address}/{known.hub}/resolve/{revision}"
        files = tuple(_hub_file(base, entry) for entry in info["siblings"])
    except (KeyError, TypeError) as error:
        raise SourceUnreachable(f"{address} lists {known.hub} without {error}") from error
    return Listing(f"{address}/{known.hub}", revision, _select_files(files, wanted), headers)


def _hub_file(base: str, entry: Any) -> RemoteFile:
    """Large files (LFS) are listed with a sha256, small ones with git's blob id."""
    path, lfs = entry["rfilename"], entry.get("lfs")
    return RemoteFile(
        path=path,
        url=f"{base}/{quote(path)}",
        size=entry["size"],
        sha256=lfs["sha256"] if lfs else None,
        git_sha1=None if lfs else entry.get("blobId"),
    )


def modelscope_listing(known: Known, wanted: Sequence[str] = WANTED) -> Listing:
    """The master branch on ModelScope. Raises SourceUnreachable where it refuses."""
    address = modelscope_address()
    api = f"{address}/api/v1/models/{known.modelscope}/repo"
    answer = _ask(f"{api}/files?Revision=master&Recursive=False", {})
    try:
        entries = [entry for entry in answer["Data"]["Files"] if entry["Type"] == "blob"]
        files = tuple(_modelscope_file(api, entry) for entry in entries)
        # A commit is named for each file; the newest one stands for the model.
        revision = max((entry["CommittedDate"], entry["Revision"]) for entry in entries)[1]
    except (KeyError, TypeError, ValueError) as error:
        raise SourceUnreachable(f"{address} lists {known.modelscope} without {error}") from error
    source = f"{address}/models/{known.modelscope}"
    return Listing(source, str(revision), _select_files(files, wanted), {})


def _modelscope_file(api: str, entry: Any) -> RemoteFile:
    """Every file is listed with its sha256."""
    path = entry["Path"]
    url = f"{api}?Revision=master&FilePath={quote(path)}"
    return RemoteFile(path=path, url=url, size=entry["Size"], sha256=entry["Sha256"])


def _select_files(files: tuple[RemoteFile, ...], wanted: Sequence[str]) -> tuple[RemoteFile, ...]:
    return tuple(
        file
        for file in files
        if "/" not in file.path and any(fnmatch(file.path, pattern) for pattern in wanted)
    )


def _ask(url: str, headers: dict[str, str]) -> Any:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310  # the operator's setting
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_S) as response:  # noqa: S310
            return json.load(response)
    except (OSError, ValueError) as error:
        raise SourceUnreachable(f"{url} cannot be read: {error}") from error


# Checks whether a server answers at an address. Known within a bound, whatever the network does.
#
# A client library retries a dead hub for most of a minute. Here a thread asks once, and is left
# behind when it takes too long: a name server that never answers cannot be interrupted.

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
    """Return why the hub cannot be reached, or None if it answers, even with 404.

    The proxies of the environment are used.
    """
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

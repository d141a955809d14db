"""`bot/files/reader_process.py` with its parsers loaded, and a fork of that for each file.

Asked by lines of JSON, `{"kind": …, "data": base64}`, and answers with a line each: what the child
printed, or null where one of its limits ended it.
"""

import base64
import io
import json
import os
import sys

import chardet  # noqa: F401
import pi_heif  # noqa: F401
import pypdf  # noqa: F401
from lxml import etree  # noqa: F401
from PIL import AvifImagePlugin, Image  # noqa: F401

from bot.files import reader_process

MAX_CHARS, MAX_PAGES = 500, 5


def read(kind: str, data: bytes) -> str:
    out, into = os.pipe()
    pid = os.fork()
    if not pid:
        sys.argv = ["child", kind, str(MAX_CHARS), str(MAX_PAGES)]
        sys.stdin = io.TextIOWrapper(io.BytesIO(data))
        os.dup2(into, 1)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        reader_process.main()
        sys.stdout.flush()
        os._exit(0)
    os.close(into)
    with os.fdopen(out) as printed:
        said = printed.read()
    _, status = os.waitpid(pid, 0)
    return said if status == 0 else "null"


def main() -> None:
    for line in sys.stdin:
        asked = json.loads(line)
        print(read(asked["kind"], base64.b64decode(asked["data"])), flush=True)


if __name__ == "__main__":
    main()

"""Structured logs: one line for each event, with its ids. Never the text of a message."""

import logging
import time
from collections.abc import Mapping

from common.redact import RedactingFormatter, silence_private_loggers

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class KeyValues(RedactingFormatter):
    """`2026-01-01T12:00:00.123Z INFO inference.worker attempt begins job=… channel=…`"""

    converter = staticmethod(time.gmtime)
    default_time_format = "%Y-%m-%dT%H:%M:%S"
    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  (logging's name)
        return super().formatMessage(record) + _pairs(vars(record))


def _pairs(fields: Mapping[str, object]) -> str:
    return "".join(f" {name}={fields[name]}" for name in fields if name not in _STANDARD)


def configure(level: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(KeyValues())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    silence_private_loggers()
    # transformers tells much, some of it with token ids; its loop brings its own handler unless
    # the logger no longer propagates when it is imported.
    for name in ("transformers", "ContinuousBatchingLogger"):
        logging.getLogger(name).setLevel(logging.ERROR)
    loop_log = logging.getLogger("ContinuousBatchingLogger")
    loop_log.propagate = False
    loop_log.addHandler(handler)

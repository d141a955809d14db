import logging

from inference.logs import KeyValues


def test_a_line_carries_its_ids() -> None:
    record = logging.LogRecord("w", logging.INFO, __file__, 1, "attempt begins", None, None)
    record.__dict__.update(job="j1", attempt=2)
    assert KeyValues().format(record).endswith(" INFO w attempt begins job=j1 attempt=2")

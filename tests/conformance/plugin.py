"""A pytest plugin that records the exchanges of all tests into the folder CONFORMANCE_RECORD."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.record import recorded_in


@pytest.fixture(autouse=True, scope="session")
def record_everything() -> Iterator[None]:
    with recorded_in(Path(os.environ["CONFORMANCE_RECORD"])):
        yield

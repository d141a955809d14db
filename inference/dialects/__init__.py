"""Which dialect a model speaks, by its name."""

from inference.dialects.base import Dialect
from inference.dialects.hermes import Hermes


def of_model(model: str) -> Dialect:  # noqa: ARG001
    return Hermes()

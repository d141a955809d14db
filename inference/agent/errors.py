"""Why an agent has no answer; the worker turns these errors into texts for people."""

from inference.engines.base import BadRequest


class NoAnswer(BadRequest):
    """All turns were spent, and none came to an answer."""


class NoPrograms(BadRequest):
    """Nowhere here may a program be run."""

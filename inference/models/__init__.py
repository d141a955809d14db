"""Models on this machine: which there are, where they lie, how they come here."""

from inference.models.errors import ModelError, ModelMissing
from inference.models.progress import Progress
from inference.models.pull import pull
from inference.models.store import ModelFiles, resolve

__all__ = ["ModelError", "ModelFiles", "ModelMissing", "Progress", "pull", "resolve"]

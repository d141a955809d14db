"""Models on this machine: which there are, where they lie, how they come here."""

from inference.models.errors import ModelError, ModelMissing, Progress
from inference.models.model_store import ModelFiles, resolve
from inference.models.pull import pull

__all__ = ["ModelError", "ModelFiles", "ModelMissing", "Progress", "pull", "resolve"]

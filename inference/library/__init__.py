"""Pictures for articles; `create_selector` finds those that fit."""

from pathlib import Path
from typing import TYPE_CHECKING

from inference.config import WorkerSettings
from inference.engines.base import Engine
from jobqueue.blobs import Blobs

if TYPE_CHECKING:
    from inference.library.image_library import NearestImages
    from inference.library.image_selector import ImageSelector


def create_selector(settings: WorkerSettings, blobs: Blobs, engine: Engine) -> "ImageSelector":
    """Create the one of the settings. Whether the engine sees is known once it is loaded."""
    from inference.library.image_checks import VisionChecker  # noqa: PLC0415
    from inference.library.image_library import LibraryReader  # noqa: PLC0415
    from inference.library.image_selector import ImageSelector  # noqa: PLC0415

    def load_vectors(folder: Path) -> "NearestImages":
        from inference.library.image_embeddings import Vectors, embedder  # noqa: PLC0415  (torch)

        return Vectors.load(folder, embedder(settings.pictures_model)).nearest

    folder = Path(settings.pictures).expanduser() if settings.pictures else None
    reader = LibraryReader(folder, load_vectors if settings.pictures_model else None)
    return ImageSelector(reader, blobs, VisionChecker(engine))

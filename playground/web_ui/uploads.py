"""Files that a browser sent ahead, until the action that uses them arrives."""

import secrets
from collections import OrderedDict

from playground.discord.json_types import File, UserError

FILE_BYTES = 10 * 2**20  # Discord's limit for one file
KEPT_BYTES = 128 * 2**20


class Uploads:
    """The oldest ones go when the files together grow over `KEPT_BYTES`."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, File] = OrderedDict()

    def put(self, file: File) -> str:
        upload = secrets.token_urlsafe(16)
        self._files[upload] = file
        while sum(len(kept.data) for kept in self._files.values()) > KEPT_BYTES:
            self._files.popitem(last=False)
        return upload

    def take(self, upload: str) -> File:
        """Each file is used once. Raises UserError for one that is not there (any more)."""
        file = self._files.pop(upload, None)
        if file is None:
            raise UserError("the upload is gone; choose the file again")
        return file

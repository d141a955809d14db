"""Files that were given to a program: by name for its code, by descriptor for the kernel.

There is no folder, so nothing to clean up and nothing that another program could find: every
file is a sealed memfd, and Python's ways to a file by name (`open`, `pathlib`, `os.path`,
`os.listdir`) are shown the names. This is convenience, not protection: the kernel's layers
know nothing of it.
"""

import builtins
import io
import os
from collections.abc import Mapping
from typing import Any

_FOLDER = "/"  # where a program starts


class InputFiles:
    def __init__(self) -> None:
        self._paths: dict[str, str] = {}

    def install(self) -> None:
        """Install this for the rest of the process, before libraries keep an `io.open` of their
        own.
        """
        builtins.open = io.open = self._open(io.open)
        os.stat = self._stat(os.stat)
        os.listdir = self._listdir(os.listdir)

    def give(self, descriptors: Mapping[str, int]) -> None:
        for name, descriptor in descriptors.items():
            self._paths[os.path.join(_FOLDER, name)] = f"/proc/self/fd/{descriptor}"

    def _resolve(self, path: object) -> Any:
        """The descriptor's path if `path` names a given file, else `path` itself."""
        if self._paths and isinstance(path, str | os.PathLike):
            name = os.fspath(path)
            if isinstance(name, str):
                return self._paths.get(os.path.normpath(os.path.join(_FOLDER, name)), path)
        return path

    def _open(self, real: Any) -> Any:
        def open(file: Any, *arguments: Any, **options: Any) -> Any:  # noqa: A001
            return real(self._resolve(file), *arguments, **options)

        return open

    def _stat(self, real: Any) -> Any:
        def stat(path: Any, **options: Any) -> Any:
            return real(self._resolve(path), **options)

        return stat

    def _listdir(self, real: Any) -> Any:
        def listdir(path: Any = ".") -> Any:
            if self._paths and isinstance(path, str) and os.path.normpath(path) in (".", _FOLDER):
                return sorted(os.path.basename(name) for name in self._paths)
            return real(path)

        return listdir


given = InputFiles()  # one a process, like the functions it stands in for

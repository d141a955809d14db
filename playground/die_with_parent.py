"""Ties a child process's life to its parent's, whatever kills the parent."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
# Loaded here, because a child between fork and exec must not import anything.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(death_signal: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends the signal when the parent's main thread ends.

    Only Linux can do this; elsewhere a SIGKILL of the parent leaves its children.
    """
    parent = os.getpid()

    def in_child() -> None:
        if _libc is None:
            return
        _libc.prctl(_PR_SET_PDEATHSIG, death_signal)
        if os.getppid() != parent:  # it died before the kernel was told
            os._exit(1)

    return in_child

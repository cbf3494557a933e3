"""Two directories change places in one step, where the system can do that."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from pathlib import Path

RENAME_EXCHANGE = 2
HERE = -100
"""AT_FDCWD: paths that are not absolute begin at the working directory."""


def exchange(first: Path, second: Path) -> bool:
    """Let two directories of one file system change places atomically; False, and nothing done, where that is
    impossible.

    Impossible is it on systems other than Linux, on file systems that do not know it, and for mount points.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except AttributeError:  # an old C library
        return False
    rename.argtypes = (ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_char_p, ctypes.c_uint)
    if rename(HERE, os.fsencode(first), HERE, os.fsencode(second), RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(second))

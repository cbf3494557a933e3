"""The errors simgauge raises on purpose: what was received, what is accepted, what to do next."""

from __future__ import annotations

import importlib
from typing import Any


class SimgaugeError(Exception):
    """Base of all errors that simgauge raises on purpose."""


class InputError(SimgaugeError, ValueError):
    """Data that cannot be used as given: a file, a table, ids, interactions."""


class ParameterError(SimgaugeError, ValueError):
    """A parameter outside its accepted range."""


class MissingDependencyError(SimgaugeError, ImportError):
    """An optional library is needed and not installed."""


class DroppedDataWarning(UserWarning):
    """Rows of the input were left out; the message says which and how many."""


class RankWarning(UserWarning):
    """The data has fewer directions than were asked for; the message says how many."""


def optional_import(module: str, *, extra: str, purpose: str) -> Any:
    """Import an optional module, or say which pip line brings it.

    Parameters
    ----------
    module : str
        Dotted name, imported only now.
    extra : str
        The extra of simgauge that installs it.
    purpose : str
        What the module is needed for; completes "... is needed to <purpose>".

    Raises
    ------
    MissingDependencyError
        The module is not installed. A module that is installed but broken raises its own error.

    Examples
    --------
    >>> optional_import("json", extra="none", purpose="parse").loads("1")
    1
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or module.split(".")[0] != error.name.split(".")[0]:
            raise
        raise MissingDependencyError(
            f"{module} is needed to {purpose} and is not installed. Run: pip install 'simgauge[{extra}]'"
        ) from error

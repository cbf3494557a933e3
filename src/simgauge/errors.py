"""The errors simgauge raises on purpose: what was received, what is accepted, what to do next."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from sklearn.exceptions import ConvergenceWarning as ConvergenceWarning


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


class KeptFilesWarning(UserWarning):
    """A directory that was written to holds files that simgauge did not write; the message names them."""


class RankWarning(np.exceptions.RankWarning):
    """The data has fewer directions than were asked for; the message says how many."""


def __getattr__(name: str) -> Any:
    # made when it is first asked for: scikit-learn takes longer to load than all of simgauge
    if name != "ConvergenceWarning":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sklearn.exceptions import ConvergenceWarning as Base

    text = "An iteration ended before it met its tolerance; the message says how far it came."
    made = type(name, (Base,), {"__doc__": text, "__module__": __name__})
    globals()[name] = made
    return made


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

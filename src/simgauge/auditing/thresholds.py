"""Where ok ends and warn and fail begin: one TOML file with the reason for each number, which users override."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Any

from simgauge.errors import InputError, ParameterError
from simgauge.findings import Verdict

KEYS = {"warn", "fail", "direction", "reason"}


@dataclass(frozen=True)
class Threshold:
    """Limits of one finding."""

    warn: float | None
    """From here on the verdict is "warn"; None: never."""
    fail: float | None
    """From here on it is "fail"; None: never."""
    direction: str
    """"above": large values are bad. "below": small values are bad."""
    reason: str
    """Why these numbers."""

    def judge(self, value: float) -> Verdict:
        """The verdict for a value; "info" without limits, and for NaN, which cannot be judged.

        Examples
        --------
        >>> Threshold(0.8, 0.6, "below", "").judge(0.7)
        'warn'
        """
        if value != value or (self.warn is None and self.fail is None):
            return "info"
        sign = 1.0 if self.direction == "above" else -1.0
        if self.fail is not None and sign * value >= sign * self.fail:
            return "fail"
        if self.warn is not None and sign * value >= sign * self.warn:
            return "warn"
        return "ok"


Thresholds = Mapping[str, Threshold]


def load_thresholds(path: str | Path | None = None) -> Thresholds:
    """The shipped thresholds, with those of a TOML file put over them.

    Parameters
    ----------
    path : str or Path, optional
        A file of tables ``[finding-id]`` with any of the keys warn, fail, direction and reason. A limit of
        ``false`` turns that verdict off.

    Raises
    ------
    InputError
        The file is missing or not TOML.
    ParameterError
        A finding or key that does not exist, or a limit that is not a number.

    Examples
    --------
    >>> load_thresholds()["canonical_overlap"].direction
    'below'
    """
    shipped = dict(_shipped())
    if path is None:
        return MappingProxyType(shipped)
    try:
        override = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"thresholds file {path}: {error.strerror or error}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"thresholds file {path} is not TOML: {error}.") from error
    for name, table in override.items():
        if name not in shipped:
            raise ParameterError(f"thresholds file {path}: no finding is called {name!r}; known: {', '.join(shipped)}.")
        shipped[name] = _merge(name, shipped[name], table, str(path))
    return MappingProxyType(shipped)


@cache
def _shipped() -> Thresholds:
    text = resources.files("simgauge.auditing").joinpath("thresholds.toml").read_text(encoding="utf-8")
    empty = Threshold(None, None, "above", "")
    return {name: _merge(name, empty, table, "thresholds.toml") for name, table in tomllib.loads(text).items()}


def _merge(name: str, base: Threshold, table: Any, source: str) -> Threshold:
    if not isinstance(table, dict) or not set(table) <= KEYS:
        found = sorted(set(table) - KEYS) if isinstance(table, dict) else table
        raise ParameterError(f"{source}, [{name}]: unknown {found}; expected the keys {', '.join(sorted(KEYS))}.")
    direction = table.get("direction", base.direction)
    if direction not in ("above", "below"):
        raise ParameterError(f"{source}, [{name}]: direction={direction!r}; expected 'above' or 'below'.")
    return Threshold(
        _limit(name, "warn", table.get("warn", base.warn), source),
        _limit(name, "fail", table.get("fail", base.fail), source),
        direction,
        str(table.get("reason", base.reason)),
    )


def _limit(name: str, key: str, value: Any, source: str) -> float | None:
    if value is None or value is False:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise ParameterError(f"{source}, [{name}]: {key}={value!r}; expected a number, or false for never.")
    return float(value)

"""What is known of a training: the objective's name, who said so, its biases and its penalty."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, get_args

from simgauge.auditing.objectives import ALIASES, OBJECTIVES, Biases, Objective, Penalty
from simgauge.errors import ParameterError


class Training(NamedTuple):
    """An objective with what was said about it."""

    name: str
    """Key of `OBJECTIVES`."""
    objective: Objective
    """With the biases and the penalty that were stated or recorded."""
    stated: bool
    """Whether the caller named it; otherwise the provenance did, or nobody."""


def find_objective(name: str, biases: str | None = None, penalty: str | None = None) -> tuple[str, Objective]:
    """The canonical name of an objective and what it leaves open.

    Parameters
    ----------
    name : str
        Key of `OBJECTIVES` or `ALIASES`; case, spaces and underscores do not matter.
    biases : {"none", "items", "users", "both", "unknown"}, optional
        Biases that were trained freely beside the vectors; penalised ones count as none. What the name implies when not
        given.
    penalty : {"factors", "none"}, optional
        "factors": L2 on both tables. What the name implies when not given.

    Raises
    ------
    ParameterError
        Unknown; the known names are listed, and the nearest is offered.

    Examples
    --------
    >>> find_objective("InfoNCE")[1].gauge_group
    'GL(k) and shifts of the items'
    >>> find_objective("word2vec", biases="items")[1].gauge_group
    'GL(k) and shifts of the users'
    >>> find_objective("softmax", penalty="factors")[1].gauge_group
    'O(k)'
    """
    key = _known(name)
    if key not in OBJECTIVES:
        raise ParameterError(_refusal("objective", name, OBJECTIVES, [*OBJECTIVES, *ALIASES]))
    found = OBJECTIVES[key]
    if biases is not None:
        if _canonical(biases) not in get_args(Biases):
            raise ParameterError(_refusal("biases", biases, get_args(Biases)))
        found = found._replace(biases=_canonical(biases))  # type: ignore[arg-type]
    if penalty is not None:
        if _canonical(penalty) not in get_args(Penalty):
            raise ParameterError(_refusal("penalty", penalty, get_args(Penalty)))
        found = found._replace(penalty=_canonical(penalty))  # type: ignore[arg-type]
        found = found._replace(balanced=found.balanced if found.penalty == "factors" else None)
    return key, found


def known_training(
    provenance: Mapping[str, Any], objective: str | None = None, biases: str | None = None, penalty: str | None = None
) -> Training:
    """What the caller states, and for the rest what the provenance of an embedding records.

    Parameters
    ----------
    provenance : mapping
        Of an `Embedding`; its keys "objective", "biases" and "penalty" count.
    objective, biases, penalty : str, optional
        As in `find_objective`. None, and "unknown" for the objective, mean: not stated. Once the caller states another
        objective than the recorded one, recorded biases and penalty no longer count, as they belong to that one.

    Examples
    --------
    >>> recorded = {"objective": "bpr", "biases": "items", "penalty": "none"}
    >>> known_training(recorded).objective.gauge_group
    'GL(k) and shifts of the items and of the users'
    >>> known_training(recorded, "word2vec").objective.gauge_group
    'GL(k)'
    """
    recorded = str(provenance.get("objective") or "unknown")
    stated = objective is not None and _canonical(objective) != "unknown"
    name = find_objective(objective if stated and objective is not None else recorded)[0]
    if not stated or _known(recorded) == name:
        biases = _recorded(provenance, "biases") if biases is None else biases
        penalty = _recorded(provenance, "penalty") if penalty is None else penalty
    return Training(*find_objective(name, biases, penalty), stated)


def _recorded(provenance: Mapping[str, Any], key: str) -> str | None:
    value = provenance.get(key)
    return value if isinstance(value, str) else None


def _known(name: str) -> str:
    """Its key, where the name is known."""
    key = _canonical(name)
    return ALIASES.get(key, key)


def _canonical(name: str) -> str:
    return str(name).strip().casefold().replace("_", "-").replace(" ", "-")


def _refusal(parameter: str, received: str, accepted: Iterable[str], near: Iterable[str] | None = None) -> str:
    """The message, with the nearest accepted word."""
    words = list(accepted)
    nearest = difflib.get_close_matches(_canonical(received), words if near is None else list(near), n=1, cutoff=0.5)
    hint = f" Did you mean {nearest[0]!r}?" if nearest else ""
    return f"{parameter}={received!r}: expected one of {', '.join(map(repr, words))}.{hint}"

"""What the weight of an event means: a count, a rating, or whether somebody liked it; and how that is changed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.errors import ParameterError
from simgauge.read.sources.columns import find_column
from simgauge.read.sources.table_source import Column, Source, sql_text

TRANSFORMS = ("none", "log1p", "binary")

RATING = re.compile(r"(^|[^a-z])(rating|ratings|stars?|overall)($|[^a-z])")
"""Names of columns of which a repetition is a change of mind and no second use."""

WIDE_RANGE = 1e3
"""Largest weight over the mean from which on a few pairs decide the model."""

WIDEST = 1e4
"""Largest over smallest weight from which on they do."""

MONOTONE_RULES = ("last", "max", "count", "error")
"""Rules that pick one weight of a pair, so that a transform may come before them."""


class Like(NamedTuple):
    """Condition under which an event counts."""

    column: str | None
    """None for the weight."""
    sign: str
    values: tuple[str, ...]


def parse_like(text: str) -> Like:
    """Take a condition apart.

    Examples
    --------
    >>> parse_like(">=4")
    Like(column=None, sign='>=', values=('4',))
    >>> parse_like("action=like,purchase").values
    ('like', 'purchase')
    """
    found = re.fullmatch(r"\s*(?P<column>[^<>=]*?)\s*(?P<sign>>=|<=|>|<|=)\s*(?P<value>[^<>=]+?)\s*", str(text))
    if found is None:
        raise ParameterError(
            f"like={text!r}: expected a condition on the weight such as '>=4', or on a column such as 'action=like'."
        )
    values = tuple(value.strip() for value in found["value"].split(","))
    if found["sign"] != "=":
        try:
            float(found["value"])
        except ValueError:
            raise ParameterError(f"like={text!r}: {found['value']!r} is no number to compare with.") from None
    return Like(found["column"] or None, found["sign"], values)


def is_rating(name: str) -> bool:
    """Whether a column's name says that it holds ratings.

    Examples
    --------
    >>> is_rating("Book-Rating"), is_rating("stars"), is_rating("count"), is_rating("userRating")
    (True, True, False, True)
    """
    return bool(RATING.search(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold().replace("_", " ")))


def rule_for(duplicates: str | None, source: Source, roles: dict[str, int], like: str | None, transform: str) -> str:
    """Rule for repeated events when nobody gave one: the last rating, the sum of all else."""
    if duplicates is not None:
        return duplicates
    if "weight" not in roles:
        return "sum"
    if transform == "binary":
        return "max"
    return "last" if like is not None or is_rating(source.columns[roles["weight"]].name) else "sum"


def with_meaning(
    source: Source, roles: dict[str, int], like: str | None, transform: str, *, log_first: bool = False
) -> dict[str, int]:
    """Roles with the weight that a condition or a transform asks for; its column then yields what it means.

    A logarithm is taken of the pairs' weights later, unless `log_first` asks for it here, event by event.

    Raises
    ------
    ParameterError
        A condition on the weight where there is none, or a transform of no weight.
    InputError
        The condition names a column that is not there.
    """
    if like is not None:
        condition = parse_like(like)
        if condition.column is not None:
            place = find_column(condition.column, source.names, role="like", where=source.label)
        elif "weight" in roles:
            place = roles["weight"]
        else:
            raise ParameterError(
                f"like={like!r} is a condition on the weight: name its column, too (--weight, weight=)."
            )
        column = source.columns[place]
        source.columns.append(replace(column, sql=_like_sql(column, condition), meaning="float", kind=""))
        return _with_weight(roles, len(source.columns) - 1)
    value = {"binary": "1.0", "log1p": "ln(1 + {number})" if log_first else ""}.get(transform)
    if value and "weight" in roles:
        column = source.columns[roles["weight"]]
        number = f"TRY_CAST({column.sql} AS DOUBLE)"
        value = value.format(number=number)
        changed = replace(
            column, sql=f"CASE WHEN {number} > 0 THEN {value} ELSE {number} END", meaning="float", kind=""
        )
        source.columns.append(changed)
        return _with_weight(roles, len(source.columns) - 1)
    if transform != "none" and "weight" not in roles:
        raise ParameterError(
            f"weight_transform={transform!r}: there is no weight to transform: name its column, too "
            "(--weight, weight=)."
        )
    return roles


def _with_weight(roles: dict[str, int], place: int) -> dict[str, int]:
    """The roles in their usual order."""
    changed = {**roles, "weight": place}
    return {role: changed[role] for role in ("user", "item", "weight", "time") if role in changed}


def _like_sql(column: Column, condition: Like) -> str:
    text = f"trim(CAST({column.sql} AS VARCHAR))"
    if condition.sign == "=":
        listed = ", ".join(sql_text(value.casefold()) for value in condition.values)
        numbers = [value for value in condition.values if _is_number(value)]
        test = f"lower({text}) IN ({listed})"
        if numbers:
            test += f" OR TRY_CAST({text} AS DOUBLE) IN ({', '.join(numbers)})"
    else:
        test = f"TRY_CAST({text} AS DOUBLE) {condition.sign} {float(condition.values[0])!r}"
    return f"CASE WHEN {test} THEN 1.0 ELSE 0.0 END"


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text) is not None


def transformed(weights: NDArray[np.float64], transform: str) -> NDArray[np.float64]:
    """Weights of pairs after the transform.

    Examples
    --------
    >>> transformed(np.array([0.0, 3.0]), "binary"), transformed(np.array([0.0]), "log1p")
    (array([0., 1.]), array([0.]))
    """
    if transform == "log1p":
        return np.log1p(weights)
    return (weights > 0).astype(np.float64) if transform == "binary" else weights


class Spread(NamedTuple):
    """Smallest, largest and mean weight of the events."""

    low: float
    high: float
    mean: float


def weight_sentences(name: str, spread: Spread, merged: int, rule: str, chosen_rule: bool) -> list[str]:
    """Sentences that say what the weights are taken for, their range, and how to change it."""
    low, high, mean = spread
    said = f"weight: {name!r}, {low:g} to {high:g} (mean {mean:.3g})"
    if is_rating(name):
        said += (
            "; a rating counts by its height, so that a low one is a weak sign of liking and not of dislike: "
            "--like '>=4' (like=) counts only high ones, --weight-transform binary all alike"
        )
    elif high == low:
        said += "; all events count the same"
    elif high > WIDE_RANGE * mean or (low > 0 and high / low >= WIDEST):
        said += (
            "; so wide that a few large ones decide the model: consider --weight-transform log1p or binary "
            "(weight_transform=)"
        )
    else:
        said += (
            "; taken as how often: --like '>=4' (like=) or --weight-transform log1p|binary (weight_transform=) "
            "change it"
        )
    sentences = [said]
    if merged and not chosen_rule:
        kept = {"last": "the last was kept", "sum": "they were added up", "max": "the largest was kept"}[rule]
        sentences.append(
            f"{merged} events repeat a pair of user and item: {kept} (--duplicates last|mean|sum changes it, "
            f"duplicates=)"
        )
    return sentences


def weight_problem(value: Any) -> str:
    """Message that says what to do about a weight that cannot be used.

    Examples
    --------
    >>> weight_problem("3,5")
    'It looks like a decimal comma: write 3.5.'
    """
    text = str(value)
    if re.fullmatch(r"-?[0-9]+,[0-9]+", text):
        return f"It looks like a decimal comma: write {text.replace(',', '.')}."
    return (
        "Weights must be finite numbers >= 0: remove these rows, count only what was liked (--like '>0', like=), or "
        "leave the weight out so that every event counts 1."
    )

"""Checks of parameters that many functions share, with one wording."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sized
from typing import Any

import numpy as np

from simgauge.errors import InputError, ParameterError


def is_integer(value: Any) -> bool:
    """Whether the value is an integer of Python or NumPy; True and False are not.

    Examples
    --------
    >>> is_integer(np.int32(3)), is_integer(True), is_integer(3.0)
    (True, False, False)
    """
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def check_integer(
    value: Any, name: str, least: int, most: int | None = None, *, meaning: str = "", hint: str = ""
) -> int:
    """The value as an int, when it is an integer from `least` to `most`.

    Parameters
    ----------
    value : object
        What was passed.
    name : str
        Of the parameter, for the message.
    least, most : int
        Accepted range, both ends included; no upper end when `most` is None.
    meaning, hint : str, optional
        What the number is, and what to do; both go into the message.

    Raises
    ------
    ParameterError
        Anything else; the message shows the value and the range.

    Examples
    --------
    >>> check_integer(np.int64(5), "k", 1)
    5
    >>> check_integer(0, "k", 1, 9, meaning="the length of the lists")
    Traceback (most recent call last):
    simgauge.errors.ParameterError: k=0: expected an integer from 1 to 9, the length of the lists.
    """
    if is_integer(value) and value >= least and (most is None or value <= most):
        return int(value)
    span = f"of {least} or more" if most is None else f"from {least} to {most}"
    raise ParameterError(
        f"{name}={value!r}: expected an integer {span}{f', {meaning}' if meaning else ''}.{f' {hint}' if hint else ''}"
    )


def as_integer(value: Any, name: str) -> int:
    """The value as an int, when it is an integer; its range is checked elsewhere.

    Examples
    --------
    >>> as_integer(np.uint8(3), "k")
    3
    """
    if is_integer(value):
        return int(value)
    raise ParameterError(f"{name}={value!r}: expected an integer.")


def check_offers(value: Any, name: str, needed: Iterable[str], expected: str) -> None:
    """Raise unless the value offers what an object of the expected kind does, so that a table, a path or a class is
    refused by name and not where its first attribute is missed.

    Parameters
    ----------
    value : object
        What was passed.
    name : str
        Of the parameter, for the message.
    needed : iterable of str
        Attributes that objects of the kind have.
    expected : str
        The kind, and how to make one.

    Raises
    ------
    InputError
        It lacks one of them, or is a class.

    Examples
    --------
    >>> check_offers("ratings.csv", "interactions", ["item_ids"], "Interactions")
    Traceback (most recent call last):
    simgauge.errors.InputError: interactions is of type str: expected Interactions.
    """
    if isinstance(value, type):
        raise InputError(f"{name} is the class {value.__name__} itself: expected {expected}.")
    if not all(hasattr(value, part) for part in needed):
        raise InputError(f"{name} is of type {type(value).__name__}: expected {expected}.")


def check_named_offers(value: Any, name: str, needed: Iterable[str], plural: str, example: str) -> None:
    """Raise unless the value is a mapping of names to objects that offer what is needed, one or more.

    Examples
    --------
    >>> check_named_offers([], "gauges", ["items"], "embeddings", "standard_gauges(embedding)")
    Traceback (most recent call last):
    simgauge.errors.InputError: gauges is of type list: expected embeddings by name, such as standard_gauges(embedding).
    """
    expected = f"{plural} by name, such as {example}"
    if not isinstance(value, Mapping):
        raise InputError(f"{name} is of type {type(value).__name__}: expected {expected}.")
    if not value:
        raise ParameterError(f"{name}: pass at least one.")
    for key, entry in value.items():
        check_offers(entry, f"{name}[{key!r}]", needed, expected)


def check_listed(value: Any, name: str) -> None:
    """Raise unless the value is a list, or another collection, of one or more names or ids.

    Examples
    --------
    >>> check_listed("tea", "items")
    Traceback (most recent call last):
    simgauge.errors.InputError: items is of type str: expected a list of names or ids, one or more.
    """
    if isinstance(value, str | Mapping) or not isinstance(value, Sized) or not len(value):
        raise InputError(f"{name} is of type {type(value).__name__}: expected a list of names or ids, one or more.")


def check_choice(value: Any, name: str, accepted: Iterable[str]) -> None:
    """Raise unless the value is one of the accepted words, which the message lists.

    Examples
    --------
    >>> check_choice("mean", "duplicates", ("sum", "max"))
    Traceback (most recent call last):
    simgauge.errors.ParameterError: duplicates='mean': expected one of 'sum', 'max'.
    """
    words = list(accepted)
    if value not in words:
        raise ParameterError(f"{name}={value!r}: expected one of {', '.join(map(repr, words))}.")


Rng = int | np.random.Generator
"""Source of randomness: a seed, or a generator that is drawn from."""


def as_generator(rng: Rng) -> np.random.Generator:
    """A NumPy generator: the one given, or a new one with that seed.

    Raises
    ------
    ParameterError
        Neither a generator nor an integer of 0 or more.

    Examples
    --------
    >>> int(as_generator(0).integers(100)), int(as_generator(np.random.default_rng(0)).integers(100))
    (85, 85)
    """
    return rng if isinstance(rng, np.random.Generator) else np.random.default_rng(as_seed(rng))


def as_seed(rng: Rng) -> int:
    """A seed from which several independent draws are derived: the integer given, or one drawn from the generator.

    Raises
    ------
    ParameterError
        Neither a generator nor an integer of 0 or more.

    Examples
    --------
    >>> as_seed(7)
    7
    >>> as_seed(-1)
    Traceback (most recent call last):
    simgauge.errors.ParameterError: rng=-1: expected an integer of 0 or more. The same seed gives the same result.
    """
    if isinstance(rng, np.random.Generator):
        return int(rng.integers(2**32))
    return check_integer(rng, "rng", 0, hint="The same seed gives the same result.")

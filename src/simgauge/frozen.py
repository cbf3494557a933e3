"""Dicts and lists that cannot be changed, all the way down: what is known of an object that others share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from simgauge.errors import InputError


def _refuse(self: Any, *_: Any, **__: Any) -> NoReturn:
    raise TypeError(f"{type(self).__name__} cannot be changed: others may hold it too. Make a copy, such as dict(it).")


class FrozenDict(dict[str, Any]):
    """A dict that refuses changes; it is equal to dicts, and JSON, copies and pickles take it as one.

    Examples
    --------
    >>> known = frozen_json({"source": {"files": ["a.csv"]}}, "report")
    >>> known["source"]["files"].append("b.csv")
    Traceback (most recent call last):
    ...
    TypeError: FrozenList cannot be changed: others may hold it too. Make a copy, such as dict(it).
    """

    __setitem__ = __delitem__ = _refuse
    update = pop = popitem = clear = setdefault = __ior__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return (FrozenDict, (dict(self),))

    def __copy__(self) -> FrozenDict:
        return self

    def __deepcopy__(self, _: Any) -> FrozenDict:
        return self


class FrozenList(list[Any]):
    """A list that refuses changes, as `FrozenDict` does."""

    __setitem__ = __delitem__ = append = extend = insert = _refuse
    remove = pop = clear = sort = reverse = __iadd__ = __imul__ = _refuse

    def __reduce__(self) -> tuple[Any, ...]:
        return (FrozenList, (list(self),))

    def __copy__(self) -> FrozenList:
        return self

    def __deepcopy__(self, _: Any) -> FrozenList:
        return self


def frozen(value: Any) -> Any:
    """The value with all dicts and lists in it frozen.

    Examples
    --------
    >>> frozen({"a": [1, {"b": 2}]}) == {"a": [1, {"b": 2}]}
    True
    """
    if isinstance(value, Mapping):
        return FrozenDict({key: frozen(part) for key, part in value.items()})
    if isinstance(value, list):
        return FrozenList(frozen(part) for part in value)
    return value


def frozen_json(value: Mapping[str, Any], name: str) -> FrozenDict:
    """A frozen copy of a mapping that can be written as JSON.

    Raises
    ------
    InputError
        It holds something that JSON has not, NaN and infinity among it.
    """
    try:
        copy = json.loads(json.dumps(dict(value), allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"{name}: expected what JSON can hold, text, finite numbers, lists and mappings ({error})."
        ) from error
    return FrozenDict(frozen(copy))

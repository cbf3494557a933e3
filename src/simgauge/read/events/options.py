"""How a table of events is to be read: one frozen record that every reader and command passes on."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from simgauge.errors import ParameterError
from simgauge.parameters import check_choice, check_integer
from simgauge.read.events.merge import RULES
from simgauge.read.events.weights import TRANSFORMS, parse_like

ColumnName = str | int


@dataclass(frozen=True, kw_only=True)
class ReadingOptions:
    """Options of `read_interactions`, `store_interactions` and `open_interactions`, and of the commands that read
    events.

    Parameters
    ----------
    user, item, weight : str or int, optional
        Columns by name, or by position counted from 0. When `user` and `item` are not given, columns with usual
        names (user_id, userId, movieId, product_id, ...) are taken, or in tables of two to four columns without
        header the columns 0, 1 and 2; the report says which. A weight is taken this way only then. Without a
        weight every event counts 1.
    time : str or int, optional
        Number or timestamp that decides which event is last under ``duplicates="last"``.
    query : str, optional
        SQL in the dialect of the database, which is opened read-only where it is a file.
    names : path, "path:name", "path:id:name" or mapping, optional
        What people call the items: a mapping id -> name, or a table with an id column and a name column (for a
        table without header the first two).
    min_user_count, min_item_count : int, >= 1
        Users with fewer distinct items and items with fewer distinct users are left out, in turn until both
        bounds hold.
    duplicates : {"sum", "max", "mean", "last", "count", "error"}, optional
        What becomes of several events of one user and item. "count" counts events and ignores weights. When not given:
        "last" for a weight that is called a rating, and with `like`; "sum" otherwise.
    like : str, optional
        Which events count, each 1, such as ">=4" of the weight, or "action=like,purchase" of another column. The others
        are no interactions.
    weight_transform : {"none", "log1p", "binary"}
        Of the weight of a pair, after repeated events have become one: log(1 + w), or 1 for every positive weight.
    id_type : {"auto", "text"}
        "auto": integers stay integers, and the ids of untyped text files become integers when every one of them
        is written as a whole number without leading zeros (1 and 1.0 are one id), and missing when they read NULL, nan
        or None. "text": ids stay as they are written.
    delimiter, has_header, encoding : optional
        Of text tables; found in the first lines when not given.
    on_bad_row : {"error", "drop"}
        Lines of a text table that have too few or too many fields, or are not in its encoding.

    Raises
    ------
    ParameterError
        A value outside of those above.

    Examples
    --------
    >>> ReadingOptions(duplicates="mean").duplicates
    'mean'
    """

    user: ColumnName | None = None
    item: ColumnName | None = None
    weight: ColumnName | None = None
    time: ColumnName | None = None
    query: str | None = None
    names: Any = None
    min_user_count: int = 1
    min_item_count: int = 1
    duplicates: str | None = None
    like: str | None = None
    weight_transform: str = "none"
    id_type: str = "auto"
    delimiter: str | None = None
    has_header: bool | None = None
    encoding: str | None = None
    on_bad_row: str = "error"

    def __post_init__(self) -> None:
        for name, accepted in (
            ("id_type", ("auto", "text")),
            ("on_bad_row", ("error", "drop")),
            ("weight_transform", TRANSFORMS),
        ):
            check_choice(getattr(self, name), name, accepted)
        if self.duplicates is not None:
            check_choice(self.duplicates, "duplicates", RULES)
        for name in ("min_user_count", "min_item_count"):
            check_integer(getattr(self, name), name, 1, hint="1 keeps everything.")
        if self.like is not None:
            parse_like(self.like)

    @property
    def columns(self) -> dict[str, ColumnName | None]:
        """The columns asked for, by role."""
        return {"user": self.user, "item": self.item, "weight": self.weight, "time": self.time}

    @property
    def opening(self) -> dict[str, Any]:
        """Options that `open_source` takes."""
        like = None if self.like is None else parse_like(self.like).column
        wanted = [name for name in (*self.columns.values(), like) if isinstance(name, str)]
        return {
            "query": self.query,
            "wanted": wanted,
            "delimiter": self.delimiter,
            "has_header": self.has_header,
            "encoding": self.encoding,
            "on_bad_row": self.on_bad_row,
        }

    @property
    def changed(self) -> list[str]:
        """Names of the options that differ from their defaults."""
        return [field.name for field in fields(self) if getattr(self, field.name) != field.default]


def reading_options(options: ReadingOptions | None, named: Mapping[str, Any]) -> ReadingOptions:
    """The record with some options changed by name.

    Raises
    ------
    ParameterError
        There is no such option; near names are offered.

    Examples
    --------
    >>> reading_options(None, {"delimeter": ";"})
    Traceback (most recent call last):
    simgauge.errors.ParameterError: there is no option 'delimeter' of reading. Did you mean 'delimiter'?
    """
    known = [field.name for field in fields(ReadingOptions)]
    for name in named:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean {near[0]!r}?" if near else f"The options are {', '.join(known)}."
            raise ParameterError(f"there is no option {name!r} of reading. {hint}")
    return replace(options or ReadingOptions(), **named)

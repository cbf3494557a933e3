"""What a table of events was understood to hold, in sentences; and questions where its columns could mean something
else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from simgauge.errors import InputError
from simgauge.read.sources.columns import list_columns
from simgauge.read.sources.table_source import Source

PEEKED_ROWS = 1000

MATRIX_COLUMNS = 8
"""As many columns of numbers and nothing else look like a matrix of users by items."""

DESCRIBED_COLUMNS = 6
"""Of more columns that were not used only the names are told."""

# fmt: off
EVENT_WORDS = (
    "like", "love", "purchase", "buy", "transaction", "rent", "bookmark", "share", "addtocart", "add_to_cart", "cart",
    "wishlist", "play", "click", "view", "true", "impression", "skip", "remove", "refund", "return", "dislike", "hate",
    "false",
)
# fmt: on
"""What columns of events say, the clearest signs of liking first."""

WHOLE = re.compile(r"-?[0-9]+")
TIME = re.compile(r"[0-9]{9,10}|[0-9]{13}")


def ask_of_guessed(source: Source, roles: Mapping[str, int], rows: Sequence[Sequence[Any]]) -> None:
    """Raise where the third column of a table without header, taken for the weight, probably is none.

    Raises
    ------
    InputError
        It reads like times, or like further items; the message says what to pass for either meaning.
    """
    if "weight" not in roles or len(rows) < 2:
        return
    values = [str(row[roles["weight"]]).strip() for row in rows]
    named = f"column {roles['weight']} of {source.label}, which has no header,"
    user, item, weight = roles["user"], roles["item"], roles["weight"]
    way_out = (
        f"Name the columns: --user {user} --item {item} (user={user}, item={item}) so that every row counts 1, or also "
        f"--weight {weight} (weight={weight}) if it is the weight"
    )
    if all(TIME.fullmatch(value) for value in values):
        raise InputError(
            f"{named} holds numbers such as {values[0]}, which look like times and not like weights. {way_out}, or "
            f"--time {weight} (time={weight})."
        )
    distinct = Counter(values)
    items = {str(row[item]).strip() for row in rows}
    common = distinct.most_common(1)[0][1] / len(values)
    if (
        len(distinct) >= 10
        and common < 0.1
        and all(WHOLE.fullmatch(value) for value in values)
        and len(items & set(distinct)) >= 0.5 * len(distinct)
    ):
        raise InputError(
            f"{named} holds numbers such as {', '.join(list(distinct)[:3])}, which are ids of items in column {item}, "
            f"and not like weights. {way_out}. One line a user with all items? Write one pair a line: "
            f"{one_pair_a_line(source.label)}"
        )


def one_pair_a_line(name: str) -> str:
    """The command that turns a line of a user with many items into a line a pair."""
    return f"""awk '{{for (i = 2; i <= NF; i++) print $1 "," $i}}' {name} > pairs.csv"""


def is_matrix(source: Source, rows: Sequence[Sequence[Any]]) -> bool:
    """Whether a table is so wide, and so full of numbers, that it probably is a matrix of users by items."""
    if len(source.columns) < MATRIX_COLUMNS or not rows:
        return False
    cells = [value for row in rows[:50] for value in row[1:]]
    return all(value is None or _is_number(value) for value in cells)


def matrix_problem(source: Source, rows: Sequence[Sequence[Any]]) -> str:
    """Message that says what a table that looks like a matrix is, and how it is converted."""
    square = len(rows) in (len(source.columns), len(source.columns) - 1)
    kind = "links of one kind of thing (it is square)" if square else "users in rows and items in columns"
    return (
        f"{source.label} has {len(source.columns)} columns, all of numbers: it looks like a matrix, with {kind}, and "
        f"not "
        'like one event a row. If it is one, convert it: python -c "import numpy, scipy.sparse; '
        f"scipy.sparse.save_npz('matrix.npz', scipy.sparse.csr_array(numpy.loadtxt('{source.label}', delimiter=',')))\""
    )


def sentences(
    source: Source, roles: Mapping[str, int], first: Mapping[str, Any], rows: Sequence[Sequence[Any]], n_columns: int
) -> list[str]:
    """The first row as understood, and the columns that were not used with what they hold."""
    read = ", ".join(f"{role} {_written(value)}" for role, value in first.items())
    found = [f"first row: {read}"] if first else []
    used = {source.columns[place].name for place in roles.values()}
    unused = [place for place in range(n_columns) if source.columns[place].name not in used]
    if unused:
        shown = rows if len(unused) <= DESCRIBED_COLUMNS else []
        names = [source.columns[place].name + _shown(shown, place) for place in unused]
        found.append(f"columns not used: {list_columns(names)}")
    for place in unused:
        words = {str(row[place]).strip().casefold() for row in rows if row[place] is not None}
        known = [word for word in EVENT_WORDS if word in words]
        if "weight" not in roles and 2 <= len(words) <= 20 and known:
            name, example = source.columns[place].name, known[0]
            found.append(
                f"every row counts 1, whatever column {name!r} says: --like '{name}={example}' (like=) counts only some"
            )
    return found


def _written(value: Any) -> str:
    if value is None:
        return "(missing)"
    return f"{value:g}" if isinstance(value, float) else repr(value)


def _shown(rows: Sequence[Sequence[Any]], place: int) -> str:
    values = sorted({str(row[place]) for row in rows if row[place] is not None})
    if not 1 <= len(values) <= 10:
        return ""
    return f" ({', '.join(repr(value[:30]) for value in values[:4])}{', ...' if len(values) > 4 else ''})"


def _is_number(value: Any) -> bool:
    try:
        float(str(value))
    except ValueError:
        return False
    return True

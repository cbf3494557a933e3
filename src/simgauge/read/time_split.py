"""What was trained on and what came later, cut by time from one table of events in one reading."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import numpy as np

from simgauge.core.scores.time_cuts import common_cut, first_times, user_cuts
from simgauge.core.tables.kinds import Vector
from simgauge.errors import InputError, ParameterError
from simgauge.interactions import Interactions
from simgauge.parameters import check_choice
from simgauge.read.events.events import Events
from simgauge.read.events.options import ColumnName, ReadingOptions, reading_options
from simgauge.read.events.times import known_times, moment, refuse_mixed_units
from simgauge.read.interactions import EventTable, interactions_of, read_table
from simgauge.read.sources.located import locate
from simgauge.read.sources.net import reads_files
from simgauge.wording import counted

FEW_USERS, SMALL_SHARE = 100, 0.1
"""Fewer users than this, or a smaller share of all, on both sides of a common cut: a cut for each user is suggested."""


class Cut(NamedTuple):
    """Rule by which events are cut in time."""

    by: Literal["all", "user"] = "all"
    """One moment for everybody, or one for each user."""
    share: float | None = None
    at: float | None = None
    """The moment itself, instead of a share."""


@dataclass(frozen=True, eq=False)
class TimeSplit:
    """The two parts; `training` is for fitting, and goes with `held_out` into `held_out_evidence`."""

    training: Interactions
    held_out: Interactions
    sentences: tuple[str, ...]
    """How the cut was made and what it leaves, for people."""

    def __repr__(self) -> str:
        return f"TimeSplit(training: {self.training!r}, held out: {self.held_out!r})"


def parse_cut(text: str) -> Cut:
    """Rule that the text of `--split` stands for.

    Raises
    ------
    ParameterError
        Neither a share, user:share, nor a moment.

    Examples
    --------
    >>> parse_cut("0.2"), parse_cut("user:0.2")
    (Cut(by='all', share=0.2, at=None), Cut(by='user', share=0.2, at=None))
    >>> parse_cut("2024-01-02").at
    1704153600.0
    """
    by, colon, rest = str(text).partition(":")
    if colon and by.strip() == "user":
        try:
            return _checked(Cut("user", float(rest)))
        except ValueError:
            raise ParameterError(f"split={text!r}: expected user: and a share, such as user:0.2.") from None
    try:
        value = float(text)
    except ValueError:
        return Cut(at=moment(text, "split"))
    return Cut(at=value) if value >= 1 else _checked(Cut(share=value))


def _checked(cut: Cut) -> Cut:
    if cut.share is None or not 0 < cut.share < 1:
        raise ParameterError(f"split={cut.share}: expected a share between 0 and 1, such as 0.2, or a moment.")
    return cut


@reads_files
def split_by_time(
    source: Any,
    share: float | None = None,
    *,
    at: Any = None,
    by: Literal["all", "user"] = "all",
    time: ColumnName | None = None,
    options: ReadingOptions | None = None,
    **named: Any,
) -> TimeSplit:
    """Read events once and cut them by time into what a model may be trained on and what came later.

    Parameters
    ----------
    source : path, frame or what else `read_interactions` takes as a table
    share : float in (0, 1), optional
        The latest share of the events (of each user's items, with ``by="user"``). 0.2 when neither this nor `at` is
        given.
    at : number or date, optional
        The last moment of the training data; in the unit of the times, or such as "2024-01-31".
    by : {"all", "user"}
        One moment for everybody, as when a model is trained and then used, so that nothing of the future is in the
        training data; or one for each user, which leaves more users on both sides, while one user's training data may
        be later than another's held-out events.
    time : str or int, optional
        Column of the times: numbers in one unit, or dates; a column called timestamp, time, date or the like when not
        given.
    options, **named : optional
        As for `read_interactions`.

    Returns
    -------
    TimeSplit
        A pair of user and item that occurs on both sides is training only, with its earlier events. Events without a
        time are trained on.

    Raises
    ------
    InputError
        No column of times, none that can be read, times in several units, or nothing on one side of the cut.
    ParameterError
        Both a share and a moment, or values outside of their range.

    Examples
    --------
    >>> import pyarrow as pa
    >>> events = pa.table({"user": [1, 1, 1, 2, 2], "item": [7, 8, 9, 7, 9], "timestamp": [10, 20, 30, 15, 25]})
    >>> cut = split_by_time(events, at=20)
    >>> cut.training.nnz, cut.held_out.nnz
    (3, 2)
    """
    check_choice(by, "by", ("all", "user"))
    if (share is not None and at is not None) or (at is not None and by == "user"):
        raise ParameterError("at= is one moment for everybody: pass it without share= and by='user'.")
    asked = Cut(by, 0.2 if share is None else share) if at is None else Cut(at=moment(at, "at"))
    if at is None:
        _checked(asked)
    options = reading_options(options, {**({} if time is None else {"time": time}), **named})
    return _cut(read_table(source, options, locate(source), timed=True), asked)


def _cut(table: EventTable, asked: Cut) -> TimeSplit:
    events, label = table.events, table.opened.label
    counts = np.ones(len(events.users), dtype=bool) if events.weights is None else events.weights > 0
    times = known_times(np.asarray(events.times))
    name = table.opened.columns[table.roles["time"]].name
    if not np.isfinite(times[counts]).any():
        raise InputError(f"{label}, column {name!r}: no event that counts has a number or a date such as 2024-01-31.")
    refuse_mixed_units(times, f"{label}, column {name!r}")
    cuts = _cuts(events, np.where(counts, times, np.nan), asked)
    later = times > cuts[events.users]
    keys = events.users.astype(np.int64) * len(events.item_ids) + events.items
    again = later & np.isin(keys, keys[~later & counts])
    held = later & ~again & counts
    both = np.intersect1d(events.users[held], events.users[~later & counts])
    if not held.any() or not (~later & counts).any():
        side = "later than" if not held.any() else "up to"
        raise InputError(
            f"{label}: nothing new happened {side} the cut ({_when(cuts, asked)}): its times lie from "
            f"{_moment(float(np.nanmin(times)))} to {_moment(float(np.nanmax(times)))}."
        )
    training, held_out = (interactions_of(table, _some(events, keep)) for keep in (~later, later & ~again))
    said = [
        f"cut by time ({_when(cuts, asked)}): {training.nnz:,} pairs to train on, {held_out.nnz:,} new ones later, "
        f"{counted(len(both), 'user')} of {len(events.user_ids):,} on both sides"
    ]
    if (again & counts).any():
        said.append(
            f"{counted(int((again & counts).sum()), 'later event')} repeat a pair that was trained on and were left out"
        )
    missing = int((~np.isfinite(times)).sum())
    if missing:
        said.append(f"{counted(missing, 'event')} without a time are trained on and never held out")
    said += _suggestion(events, np.where(counts, times, np.nan), asked, len(both))
    return TimeSplit(training, held_out, tuple(said))


def _cuts(events: Events, times: Vector, asked: Cut) -> Vector:
    """The last moment of the training data of every user."""
    n_users = len(events.user_ids)
    if asked.by == "user":
        keys, first = first_times(events.users, events.items, times, len(events.item_ids))
        return user_cuts(keys // len(events.item_ids), first, n_users, float(asked.share or 0.0))
    at = common_cut(times, float(asked.share or 0.0)) if asked.at is None else asked.at
    return np.full(n_users, at)


def _suggestion(events: Events, times: Vector, asked: Cut, n_both: int) -> list[str]:
    """A cut for each user, where one for all leaves few of them and that leaves many more."""
    n_users = len(events.user_ids)
    if asked.by == "user" or (n_both >= FEW_USERS and n_both >= SMALL_SHARE * n_users):
        return []
    keys, first = first_times(events.users, events.items, times, len(events.item_ids))
    users, share = keys // len(events.item_ids), 0.2 if asked.share is None else asked.share
    cuts = user_cuts(users, first, n_users, share)
    instead = len(np.unique(users[first > cuts[users]]))
    if instead < 2 * max(n_both, 1):
        return []
    return [
        f"only {counted(n_both, 'user')} can be asked with this cut; one for each user (--split user:{share:g}, "
        f"by='user') leaves {instead:,}, though one user's training data may then be later than another's held-out "
        "events"
    ]


def _some(events: Events, keep: Any) -> Events:
    """Some of the events."""
    return replace(
        events,
        rows_read=int(keep.sum()),
        users=events.users[keep],
        items=events.items[keep],
        weights=None if events.weights is None else events.weights[keep],
        times=None if events.times is None else events.times[keep],
    )


def _when(cuts: Vector, asked: Cut) -> str:
    if asked.by == "user":
        return f"the latest {asked.share:.0%} of every user's items"
    return f"after {_moment(float(cuts[0]))}"


def _moment(value: float) -> str:
    """As a date where it can be seconds or milliseconds since 1970."""
    for low, high, scale in ((1e8, 1e10, 1.0), (1e11, 1e13, 1e3)):
        if low <= value < high:
            return datetime.fromtimestamp(value / scale, UTC).strftime("%Y-%m-%d %H:%M")
    return f"{value:g}"

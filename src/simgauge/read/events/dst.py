"""The DST format of the UCI repository (anonymous-msweb.data): who visited which page, with the pages' titles."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

from simgauge.errors import InputError
from simgauge.interactions import Interactions
from simgauge.read.events.merge import merge_events
from simgauge.read.sources.files import content_of, expand


def is_dst(head: bytes) -> bool:
    """Whether a file begins with the line that begins every DST file."""
    return head.startswith(b'I,4,"')


def read_dst(path: str | Path) -> Interactions:
    """Read visits and titles: ``A,id,1,"title",...`` names an item, ``C,"label",id`` begins a user, ``V,id,1`` visits.

    Parameters
    ----------
    path : str or Path
        Other kinds of lines (``I``, ``T``, ``N``) describe the file and are passed over, as the format says.

    Returns
    -------
    Interactions
        Weights count the visits. Items that nobody visited are left out; the report counts them.

    Raises
    ------
    InputError
        A line that is none of these, a visit before the first user or of an item without a line, no visits, or a last
        line that was cut off.

    References
    ----------
    UCI Machine Learning Repository, Anonymous Microsoft Web Data, file anonymous-msweb.info.
    """
    (file,) = expand(path)
    if content_of(file) != "text":
        raise InputError(f"{file.name} is not text: DST files are lines that begin with A, C and V.")
    titles: dict[int, str] = {}
    user_ids: list[int] = []
    visits: list[tuple[int, int]] = []
    with file.open(encoding="latin-1", newline="") as lines:
        for number, row in enumerate(csv.reader(lines), start=1):
            try:
                if row and row[0] == "A":
                    titles[int(row[1])] = row[3]
                elif row and row[0] == "C":
                    user_ids.append(int(row[2]))
                elif row and row[0] == "V":
                    if not user_ids:
                        raise ValueError("a visit before the first user")
                    if int(row[1]) not in titles:
                        raise ValueError(f"item {row[1]} has no A line")
                    visits.append((len(user_ids) - 1, int(row[1])))
                elif row and row[0] not in ("I", "T", "N"):
                    raise ValueError("expected a line that begins with A, C, V, I, T or N")
            except (ValueError, IndexError) as error:
                raise InputError(f"{file.name}, line {number} ({','.join(row)[:60]!r}): {error}.") from error
    if not visits:
        raise InputError(f"{file.name} holds no visits (lines 'V,item,1'): it is no DST file, or was cut off.")
    return _as_interactions(file.name, titles, user_ids, visits)


def _as_interactions(
    label: str, titles: dict[int, str], user_ids: list[int], visits: list[tuple[int, int]]
) -> Interactions:
    users, items = np.array(visits, dtype=np.int64).T
    item_ids, columns = np.unique(items, return_inverse=True)
    seen, rows = np.unique(users, return_inverse=True)
    shape = (len(seen), len(item_ids))
    pairs, merged = merge_events(rows.astype(np.int32), columns.astype(np.int32), None, shape)
    return Interactions(
        pairs,
        user_ids=np.array(user_ids)[seen],
        item_ids=item_ids,
        item_names=np.array([titles[item] for item in item_ids.tolist()], dtype=object),
        report={
            "source": label,
            "format": "DST",
            "rows_read": len(visits),
            "rows_dropped": {},
            "duplicates": {"rule": "sum", "events_merged": merged},
            "items_never_visited": len(titles) - len(item_ids),
            "users_without_visits": len(user_ids) - len(seen),
        },
    )

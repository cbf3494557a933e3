"""Which column is meant: by name, by position, or by the names that people usually give it."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from simgauge.errors import InputError

# fmt: off
USER_NAMES = (
    "user_id", "userid", "user", "users", "uid", "u", "customer_id", "customerid", "customer", "visitor_id",
    "visitorid", "session_id", "sessionid", "member_id", "account_id", "client_id", "user_idx", "query_id",
)
ITEM_NAMES = (
    "item_id", "itemid", "item", "items", "iid", "i", "movie_id", "movieid", "movie", "product_id", "productid",
    "product", "article_id", "track_id", "song_id", "artist_id", "artistid", "book_id", "isbn", "asin", "sku",
    "parent_asin", "business_id", "game_id", "app_id", "content_id", "item_idx",
)
WEIGHT_NAMES = (
    "weight", "rating", "count", "counts", "value", "plays", "playcount", "play_count", "listens", "quantity",
    "clicks", "score", "n", "data", "ratings", "stars", "overall", "listen_count", "play_counts", "views", "num_plays",
)
TIME_NAMES = ("timestamp", "time", "datetime", "date", "ts", "unixreviewtime")
ID_NAMES = (
    "id", "ids", "item_id", "itemid", "key", "word", "token", "movie_id", "movieid", "product_id", "user_id",
    "userid", "user", "item", "uniqueid", "doc_id", "docid", "entity", "term", "label",
)
NAME_NAMES = ("name", "names", "title", "item_name", "itemname", "label", "text", "word", "description")
LABEL_NAMES = (
    "label", "labels", "genre", "genres", "category", "categories", "class", "tag", "tags", "cluster", "group", "topic",
    "concept", "type",
)
ROW_NAMES = ("row", "index", "idx", "row_id", "rowid", "position", "unnamed: 0", "__index_level_0__")
VECTOR_NAMES = ("vector", "vectors", "embedding", "embeddings", "emb", "vec", "factors", "features")
# fmt: on
USUAL_NAMES = frozenset(
    USER_NAMES + ITEM_NAMES + WEIGHT_NAMES + TIME_NAMES + ID_NAMES + NAME_NAMES + ROW_NAMES + VECTOR_NAMES
)


def find_column(wanted: str | int, names: Sequence[str], *, role: str, where: str) -> int:
    """Position of the column given by name or by position (counted from 0).

    Raises
    ------
    InputError
        No such column, or several of that name; the columns and close matches are listed.

    Examples
    --------
    >>> find_column("item", ["user", "item"], role="item", where="events.csv")
    1
    >>> find_column("itm", ["user", "item"], role="item", where="events.csv")
    Traceback (most recent call last):
        ...
    simgauge.errors.InputError: events.csv has no column 'itm' for item. Did you mean 'item'? Its columns: user, item.
    """
    if isinstance(wanted, int) and not isinstance(wanted, bool):
        if not 0 <= wanted < len(names):
            raise InputError(
                f"{where} has no column number {wanted} for {role}: it has {len(names)}, counted from 0 "
                f"({list_columns(names)})."
            )
        return wanted
    hits = [position for position, name in enumerate(names) if name == wanted]
    if len(hits) == 1:
        return hits[0]
    if hits:
        raise InputError(
            f"{where} has {len(hits)} columns called {wanted!r} (numbers {', '.join(map(str, hits))}): pass the "
            f"number for {role}."
        )
    folded = {name.casefold(): name for name in names}
    near = [folded[name] for name in difflib.get_close_matches(str(wanted).casefold(), list(folded), n=3, cutoff=0.5)]
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise InputError(f"{where} has no column {wanted!r} for {role}.{hint} Its columns: {list_columns(names)}.")


def usual_column(usual: Sequence[str], names: Sequence[str], taken: Sequence[int] = ()) -> int | None:
    """Position of the first column whose name, whatever its case, is one of the usual ones; None when there is none.

    Examples
    --------
    >>> usual_column(ITEM_NAMES, ["userId", "movieId", "rating"])
    1
    """
    folded = [name.strip().casefold() for name in names]
    for name in usual:
        if name in folded and folded.index(name) not in taken:
            return folded.index(name)
    return None


def list_columns(names: Sequence[str]) -> str:
    """The columns as a person reads them, the first twenty of many."""
    shown = ", ".join(name if name else "''" for name in names[:20])
    return shown + (f" and {len(names) - 20} more" if len(names) > 20 else "")

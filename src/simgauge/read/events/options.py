"""Options of reading events, and their accepted values."""

from __future__ import annotations

from simgauge.parameters import check_choice, check_integer
from simgauge.read.events.merge import RULES


def check_options(duplicates: str, id_type: str, on_bad_row: str, *minimums: int) -> None:
    """Refuse values outside of those that the docstring of `read_interactions` lists."""
    for name, value, accepted in (
        ("duplicates", duplicates, RULES),
        ("id_type", id_type, ("auto", "text")),
        ("on_bad_row", on_bad_row, ("error", "drop")),
    ):
        check_choice(value, name, accepted)
    for name, minimum in zip(("min_user_count", "min_item_count"), minimums, strict=True):
        check_integer(minimum, name, 1, hint="1 keeps everything.")

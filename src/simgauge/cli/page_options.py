"""What the commands that write a page share: how it is made again, and items without names."""

from __future__ import annotations

import dataclasses
import re
import shlex
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simgauge.embedding import Embedding

SECRET = re.compile(r"(?<=://)[^/@\s]*@|(?<=\?)\S+|(?i:(?<=password=)|(?<=token=))\S+")
"""Parts of addresses that may hold a password or a key."""


def page_command() -> str:
    """The command that is running, as a page states it: without passwords in addresses."""
    return command_text(sys.argv[1:])


def command_text(arguments: list[str]) -> str:
    """A command line with its secrets left out.

    Examples
    --------
    >>> command_text(["audit", "postgresql://me:secret@host/db", "--names", "my names.csv"])
    "simgauge audit postgresql://…@host/db --names 'my names.csv'"
    """
    shown = [SECRET.sub(lambda found: "…@" if found[0].endswith("@") else "…", part) for part in arguments]
    return " ".join(["simgauge", *(part if "…" in part and " " not in part else shlex.quote(part) for part in shown)])


def without_names(embedding: Embedding) -> Embedding:
    """The same vectors under numbers: a page and its findings then name nobody.

    Examples
    --------
    >>> from simgauge.embedding import Embedding
    >>> without_names(Embedding([[1.0], [2.0]], item_names=["tea", "milk"])).item_names.tolist()
    ['item 1', 'item 2']
    """
    from simgauge.report.names import item_names

    return dataclasses.replace(embedding, item_names=item_names(range(embedding.n_items)))

"""docs/stores.md: its queries are those that the stores print; run this file as a script to write them anew."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from simgauge.embedding import Embedding
from simgauge.stores.rows import export_rows
from simgauge.stores.target import STORES, open_store

PAGE = Path(__file__).parents[2] / "docs" / "stores.md"
QUERY = re.compile(r"<!-- query: ([a-z0-9-]+) -->\n```([a-z]+)\n(.*?)```\n", flags=re.DOTALL)
NAMES = {
    "duckdb": "vectors.db",
    "milvus": "vectors.db",
    "postgresql": "//user@host/shop",
    "sqlite-vec": "vectors.sqlite",
}


def printed(kind: str) -> str:
    """The query that `export` prints for four unit rows of three components."""
    rows = export_rows(Embedding(np.eye(4, 3) + 1.0))
    return open_store(f"{kind}:{NAMES.get(kind, 'vectors')}").recipe(rows)


def written() -> dict[str, str]:
    return {kind: query.rstrip("\n") for kind, _, query in QUERY.findall(PAGE.read_text(encoding="utf-8"))}


def test_every_target_has_its_place():
    assert set(written()) == set(STORES)


@pytest.mark.parametrize("kind", STORES)
def test_the_query_is_the_one_that_is_printed(kind):
    assert written()[kind] == printed(kind)


def test_stores_that_we_have_not_run_say_so():
    text = PAGE.read_text(encoding="utf-8")
    for name in ("Elasticsearch", "OpenSearch", "Vespa", "Weaviate", "Pinecone", "Redis", "Turbopuffer"):
        assert f"{name} (not run)" in text


def test_commands_and_files_that_the_page_names_exist():
    from simgauge.cli.app import app

    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    text = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`simgauge ([a-z]+)", text))
    assert named <= commands, f"{named - commands}"
    for path in re.findall(r"`(tests/[a-z_/.]+)`", text):
        assert (PAGE.parents[1] / path).is_file()


if __name__ == "__main__":
    PAGE.write_text(
        QUERY.sub(
            lambda found: f"<!-- query: {found[1]} -->\n```{found[2]}\n{printed(found[1])}\n```\n",
            PAGE.read_text(encoding="utf-8"),
        ),
        encoding="utf-8",
    )

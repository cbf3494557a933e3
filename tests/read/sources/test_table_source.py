"""The DuckDB connection that readers share."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import duckdb
import pytest

from simgauge.read.sources.table_source import connect

real_connect = duckdb.connect


class InNotebook:
    """A connection as a notebook without ipywidgets has it: no progress bar, and no way to say so."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.connection = real_connect(*arguments, **options)
        self.connection.execute("SET enable_progress_bar = false")

    def execute(self, statement: str) -> Any:
        if statement.startswith("SET enable_progress_bar"):
            raise duckdb.InvalidInputException("Could not change the progress bar setting")
        return self.connection.execute(statement)

    def close(self) -> None:
        self.connection.close()


def bar_of(connection: Any) -> bool:
    return bool(connection.execute("SELECT current_setting('enable_progress_bar')").fetchall()[0][0])


def test_it_shows_no_progress_bar() -> None:
    with ExitStack() as stack:
        assert not bar_of(connect(stack))


def test_it_opens_in_a_notebook_without_widgets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(duckdb, "connect", InNotebook)
    with ExitStack() as stack:
        connection = connect(stack)
        assert not bar_of(connection)
        with pytest.raises(duckdb.InvalidInputException):  # control: setting it is what fails there
            connection.execute("SET enable_progress_bar = false")

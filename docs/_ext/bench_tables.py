"""The directive `bench-table`: a table made of the stored rows in bench/results, by bench/tables.py."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

BENCH = Path(__file__).parents[2] / "bench"


@cache
def _tables() -> dict[str, Any]:
    specification = importlib.util.spec_from_file_location("bench_tables_script", BENCH / "tables.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return dict(module.TABLES)


class BenchTable(SphinxDirective):
    """One table, by its name in bench/tables.py."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """The table as nodes; a change of the rows builds the page anew."""
        for path in [BENCH / "tables.py", *(BENCH / "results").iterdir()]:
            self.env.note_dependency(str(path))
        name = self.arguments[0]
        if name not in _tables():
            raise self.error(f"bench/tables.py has no table {name!r}; it has {', '.join(_tables())}.")
        return self.parse_text_to_nodes(_tables()[name]())


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the directive."""
    app.add_directive("bench-table", BenchTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

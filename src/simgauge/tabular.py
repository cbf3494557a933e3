"""Results that are tables: for any data frame library through Arrow, for notebooks and browsers as HTML."""

from __future__ import annotations

from abc import ABC, abstractmethod
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simgauge.errors import MissingDependencyError
from simgauge.storage.atomic import write_text

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_SHOWN = 100
"""Rows of a table that a notebook shows."""

PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }}
th, td {{ padding: .3rem .8rem; border-bottom: 1px solid #8886; text-align: left; vertical-align: top }}
</style></head>
<body>
{body}
</body></html>
"""


class Tabular(ABC):
    """A result with rows.

    pandas, polars, DuckDB and others read it through the Arrow PyCapsule interface: ``polars.DataFrame(result)`` and
    ``pyarrow.table(result)`` work as they are.
    """

    @abstractmethod
    def to_arrow(self) -> pa.Table:
        """The rows as an Arrow table."""

    @property
    def _caption(self) -> str:
        """One sentence above the table."""
        return repr(self)

    def to_frame(self) -> Any:
        """The rows as a pandas data frame.

        Raises
        ------
        MissingDependencyError
            pandas is not installed; `to_arrow` needs nothing more.
        """
        try:
            return self.to_arrow().to_pandas()
        except ModuleNotFoundError as error:
            raise MissingDependencyError(
                "to_frame() needs pandas: pip install pandas. to_arrow() gives the same rows without it."
            ) from error

    def save_html(self, path: str | Path) -> Path:
        """Write the result as one HTML file that needs no network; replaces the file atomically."""
        write_text(path, PAGE.format(title=escape(self._caption), body=self._repr_html_()))
        return Path(path)

    def _repr_html_(self) -> str:
        table = self.to_arrow()
        head = "".join(f"<th>{escape(name)}</th>" for name in table.column_names)
        lines = [
            "<tr>" + "".join(f"<td>{escape(_shown(value))}</td>" for value in row.values()) + "</tr>"
            for row in table.slice(0, ROWS_SHOWN).to_pylist()
        ]
        more = table.num_rows - len(lines)
        rest = f"<p>{more:,} more rows: to_frame() has them all.</p>" if more > 0 else ""
        caption = f'<caption style="text-align:left"><b>{escape(self._caption)}</b></caption>'
        body = "\n".join(lines)
        return f"<table>{caption}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table>{rest}"

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.to_arrow().__arrow_c_stream__(requested_schema)


def _shown(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(_shown(entry) for entry in value[:5]) + (", …" if len(value) > 5 else "")
    return str(value)

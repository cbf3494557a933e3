"""One offline HTML file from a summary: all styles, drawings and numbers inside, nothing fetched."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simgauge.report.names import sentence, shown_name
from simgauge.storage.atomic import atomic_directory, write_text
from simgauge.storage.own_file import carries, write_own_file

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

PAGE_SIGNS = (b"<html", b"simgauge")
"""What every page holds."""


@cache
def environment() -> Environment:
    """Templates with autoescape on: names of items are somebody else's text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    found = Environment(
        loader=PackageLoader("simgauge.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["shown_name"] = shown_name
    found.filters["sentence"] = sentence
    return found


def write_report(path: str | Path, summary: Mapping[str, Any]) -> Path:
    """Render `summary` (see `report.summary.page_summary`) and write it atomically."""
    write_text(path, render(summary))
    return Path(path)


def write_page(path: str | Path, summary: Mapping[str, Any]) -> Path:
    """As `write_report`, but never over a file that simgauge did not write.

    Raises
    ------
    InputError
        Another file is there.
    """
    write_own_file(path, render(summary), PAGE_SIGNS)
    return Path(path)


PAGE_FILE, NUMBERS_FILE = "report.html", "audit.json"


def write_audit(directory: str | Path, summary: Mapping[str, Any], numbers: str) -> tuple[Path, Path]:
    """Write the page and the JSON text of an audit to a directory, both or none; other files there stay.

    Raises
    ------
    InputError
        A file of one of these names is there that simgauge did not write.
    """
    target = Path(directory)
    with atomic_directory(target, own_audit_files, name_kept=False) as new:
        (new / PAGE_FILE).write_text(render(summary), encoding="utf-8")
        (new / NUMBERS_FILE).write_text(numbers, encoding="utf-8")
    return target / PAGE_FILE, target / NUMBERS_FILE


def own_audit_files(directory: Path) -> set[str]:
    """Which of the two files in a directory are an audit's, by what is in them."""
    signs = {PAGE_FILE: PAGE_SIGNS, NUMBERS_FILE: (b'"schema_version"', b'"findings"')}
    own = set()
    for name, words in signs.items():
        if (directory / name).is_file() and carries(directory / name, words):
            own.add(name)
    return own


def render(summary: Mapping[str, Any]) -> str:
    """The page as text."""
    from markupsafe import Markup

    from simgauge.report.drawn import draw

    explorer = summary["explorer"]
    template = environment().get_template("page.html.j2")
    return template.render(
        summary=summary,
        figures=draw(summary),
        css=Markup(_asset("page.css")),
        script=Markup(_asset("page.js")),
        numbers=None if explorer is None else script_json(explorer),
    )


def script_json(data: Any) -> Markup:
    """JSON that no browser takes for markup, whatever its texts hold.

    Examples
    --------
    >>> script_json("</script>")
    Markup('"\\\\u003c/script\\\\u003e"')
    """
    from markupsafe import Markup

    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return Markup(text)


@cache
def _asset(name: str) -> str:
    return resources.files("simgauge.report").joinpath("assets", name).read_text(encoding="utf-8")

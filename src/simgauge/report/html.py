"""One offline HTML file from a summary: all styles and drawings inside, nothing fetched, no script."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simgauge.report import figures
from simgauge.storage.atomic import atomic_directory, write_text
from simgauge.storage.own_file import carries

if TYPE_CHECKING:
    from jinja2 import Environment


@cache
def environment() -> Environment:
    """Templates with autoescape on: names of items are somebody else's text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    return Environment(
        loader=PackageLoader("simgauge.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write_report(path: str | Path, summary: Mapping[str, Any]) -> Path:
    """Render `summary` (see `report.summary.report_summary`) and write it atomically."""
    write_text(path, render(summary))
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
    signs = {PAGE_FILE: (b"<html", b"simgauge"), NUMBERS_FILE: (b'"schema_version"', b'"findings"')}
    own = set()
    for name, words in signs.items():
        if (directory / name).is_file() and carries(directory / name, words):
            own.add(name)
    return own


def render(summary: Mapping[str, Any]) -> str:
    """The page as text."""
    template = environment().get_template("report.html.j2")
    return template.render(summary=summary, figures=draw(summary), panels=draw_panels(summary))


def draw(summary: Mapping[str, Any]) -> dict[str, str]:
    """Every drawing that the summary has data for, by name, as SVG."""
    findings = {finding["id"]: finding for finding in summary["audit"]["findings"]}
    drawn = {}
    if findings.get("canonical_overlap", {}).get("details"):
        drawn["canonical_overlap"] = figures.overlap_figure(findings["canonical_overlap"]["details"]["gauges"])
    if findings.get("random_gauge_overlap", {}).get("details"):
        rows = findings["random_gauge_overlap"]["details"]["by_condition_number"]
        drawn["random_gauge_overlap"] = figures.random_gauge_figure(rows)
    if "certified_neighbors" in findings:
        drawn["certified_neighbors"] = figures.lines_figure(
            findings["certified_neighbors"]["details"]["by_condition_number"],
            {"nearest": "nearest neighbours", "neighbors": "all neighbours", "lists": "whole lists"},
            label="share that is certain",
            title="Neighbours that no metric of a condition number can remove",
        )
    if "neighbor_popularity" in findings:
        details = findings["neighbor_popularity"]["details"]
        drawn["neighbor_popularity"] = figures.curve_figure(
            details["curve"],
            "log10_popularity",
            label="log₁₀ popularity of neighbours",
            levels={"as shipped": details["shipped"], "average item": details["catalogue"]},
        )
    if "norm_popularity" in findings:
        finding = findings["norm_popularity"]
        drawn["norm_popularity"] = figures.curve_figure(
            finding["details"]["curve"],
            "correlation",
            label="correlation of norm and popularity",
            levels={"as shipped": finding["value"]},
        )
    if summary.get("recall"):
        drawn["recall"] = figures.recall_figure(summary["recall"]["gauges"])
    return drawn


def draw_panels(summary: Mapping[str, Any]) -> list[dict[str, str]]:
    """One heat map a gauge, over the same items."""
    return [
        {"gauge": panel["gauge"], "svg": figures.cosine_panel(panel["names"], panel["cosines"])}
        for panel in summary["panels"]
    ]

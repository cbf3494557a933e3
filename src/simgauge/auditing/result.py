"""What an audit found: frozen, the same numbers for people and machines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from simgauge.auditing.groups import Group
from simgauge.embedding import Embedding
from simgauge.findings import SEVERITY, Finding, WithFindings
from simgauge.tabular import Tabular
from simgauge.wording import counted, markdown_cell

SCHEMA_VERSION = 1
MARKDOWN_SIGNS = (b"**Audit verdict: ",)
"""What every audit as Markdown holds."""


@dataclass(frozen=True, repr=False)
class Audit(WithFindings, Tabular):
    """What an audit found. Made by `audit`.

    Examples
    --------
    >>> import simgauge
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> model = simgauge.Embedding(rng.normal(size=(60, 4)), users=rng.normal(size=(80, 4)))
    >>> result = simgauge.audit(model, objective="softmax", k=5)
    >>> result.verdict
    'warn'
    >>> result["identifiability"].verdict
    'warn'
    """

    findings: tuple[Finding, ...]
    """In the order of the report: identifiability, gauge, geometry."""
    embedding: Mapping[str, Any]
    """Sizes, dtype and provenance of what was audited."""
    parameters: Mapping[str, Any]
    """Everything needed to repeat the audit."""
    groups: tuple[Group, ...] = ()
    """The same for groups of items: labels that were given, bands of popularity where it is known. They show where in
    the table something is, and have no say in the verdict."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types, described by ``simgauge/schemas/audit.schema.json``."""
        return {
            "schema_version": SCHEMA_VERSION,
            "verdict": self.verdict,
            "embedding": dict(self.embedding),
            "parameters": dict(self.parameters),
            "findings": [finding.to_dict() for finding in self.findings],
            "groups": [group.to_dict() for group in self.groups],
        }

    def to_json(self) -> str:
        """`to_dict` as text; NaN never occurs."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def to_text(self) -> str:
        """For logs: a line a finding, and what to do where something is wrong."""
        lines = [f"verdict: {self.verdict}"]
        for finding in self.findings:
            lines.append(f"[{finding.verdict:>4}] {finding.title}: {finding.summary}")
            if finding.standing is not None:
                lines.append(f"       here: {finding.standing}")
            if SEVERITY[finding.verdict]:
                if finding.named:
                    lines.append(f"       such as: {', '.join(finding.named)}")
                lines += [f"       why:  {finding.cause}", f"       do:   {finding.action}"]
        for group in self.groups:
            shown = ", ".join(f"{measure.id} {measure.value:.3g}" for measure in group.measures)
            lines.append(f"[{group.grouping}] {group.name} ({counted(group.n_items, 'item')}): {shown}")
        return "\n".join(lines) + "\n"

    def to_markdown(self) -> str:
        """For pull requests and model cards."""
        lines = [
            f"**Audit verdict: {self.verdict}**",
            "",
            "| verdict | finding | measured | smallest action |",
            "|---|---|---|---|",
        ]
        for finding in self.findings:
            cells = [finding.verdict, finding.title, finding.summary, finding.action]
            lines.append("| " + " | ".join(markdown_cell(cell) for cell in cells) + " |")
        return "\n".join(lines) + "\n"

    def to_arrow(self) -> pa.Table:
        """One row a finding, in the order of the report: id, group, verdict, value, interval and words."""
        columns = ("id", "title", "group", "verdict", "value", "interval", "summary", "cause", "action", "verify")
        return pa.Table.from_pylist([{name: row[name] for name in columns} for row in self.to_dict()["findings"]])

    def save_html(
        self, path: str | Path, title: str = "Audit of an embedding", embedding: Embedding | None = None
    ) -> Path:
        """Write the report as one HTML file that needs no network; replaces the file atomically.

        With the `embedding` that was audited, the page has lists of neighbours and the gauge slider.
        """
        from simgauge.auditing.page import audit_page
        from simgauge.report.html import write_report

        return write_report(path, audit_page(self.to_dict(), embedding, title=title))

    def __repr__(self) -> str:
        counts = Counter(finding.verdict for finding in self.findings)
        found = ", ".join(
            f"{counts[verdict]} {verdict}" for verdict in ("fail", "warn", "ok", "info") if counts[verdict]
        )
        return f"Audit({self.verdict}: {found}; {counted(self.embedding['n_items'], 'item')})"

    def _repr_html_(self) -> str:
        from simgauge.report.fragments import audit_table

        return audit_table(self.to_dict())

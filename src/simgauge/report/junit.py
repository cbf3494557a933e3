"""Findings as JUnit XML, which continuous integration shows: a test case a finding, failures with cause and action."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from simgauge.findings import SEVERITY

SIGNS = (b'<testsuites name="simgauge audit"',)
"""What every such file holds."""
NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold."""


def junit_xml(audit: Mapping[str, Any], *, level: str = "fail", baseline: Mapping[str, Any] | None = None) -> str:
    """The findings of an audit as one test suite.

    Parameters
    ----------
    audit : mapping
        ``Audit.to_dict()``.
    level : {"warn", "fail"}
        The least severe verdict that is a failure.
    baseline : mapping, optional
        ``BaselineComparison.to_dict()``: what became worse is a failure too, and what is inconclusive is skipped,
        unless it is a failure by its verdict. The outcome of each finding is a property of its case. Groups that
        differ have cases of their own.

    Examples
    --------
    >>> finding = {"id": "hubness", "title": "Hubness", "group": "geometry", "verdict": "ok", "summary": "a\\x00b"}
    >>> print(junit_xml({"findings": [finding]}).splitlines()[1])
    <testsuites name="simgauge audit" tests="1" failures="0" errors="0" skipped="0">
    """
    told = list((baseline or {}).get("changes", ()))
    changes = {change["id"]: change for change in told if change.get("group") is None}
    root = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(root, "testsuite")
    if baseline is not None:
        facts = {"baseline": baseline.get("outcome"), "differences": baseline.get("differences")}
        _properties(suite, {**facts, "sizes": baseline.get("sizes")})
    for finding in audit["findings"]:
        case = ElementTree.SubElement(suite, "testcase", classname=f"simgauge.{finding['group']}", name=finding["id"])
        _result(case, finding, changes.pop(finding["id"], None), level)
    for change in changes.values():  # findings that only the baseline has
        case = ElementTree.SubElement(suite, "testcase", classname="simgauge.baseline", name=change["id"])
        ElementTree.SubElement(case, "skipped", message=_xml(change["reason"]))
    for change in told:
        if change.get("group") is not None and change["outcome"] != "same":
            _group_result(suite, change)
    counts = {name: len(suite.findall(f"testcase/{tag}")) for name, tag in COUNTED.items()}
    totals = {name: str(count) for name, count in {"tests": len(suite.findall("testcase")), **counts}.items()}
    for element in (root, suite):
        element.attrib.update({"name": "simgauge audit", **totals})
    ElementTree.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ElementTree.tostring(root, encoding="unicode")}\n'


WORDS = {
    "worse": "worse than the baseline",
    "better": "better than the baseline",
    "moved": "moved since the baseline",
    "inconclusive": "inconclusive",
}
COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def _result(
    case: ElementTree.Element, finding: Mapping[str, Any], change: Mapping[str, Any] | None, level: str
) -> None:
    outcome = None if change is None else change["outcome"]
    if outcome is not None:
        _properties(case, {"baseline": outcome})
    reason = f"{WORDS[outcome]}: {change['reason']}" if change is not None and outcome in WORDS else ""
    if SEVERITY[finding["verdict"]] >= SEVERITY[level] or outcome == "worse":
        failure = ElementTree.SubElement(case, "failure", type=finding["verdict"], message=_xml(finding["summary"]))
        lines = {"": reason, "cause: ": finding.get("cause"), "action: ": finding.get("action")}
        failure.text = _xml("\n".join(f"{name}{text}" for name, text in lines.items() if text))
        return
    if outcome == "inconclusive":
        ElementTree.SubElement(case, "skipped", message=_xml(reason))
    text = "\n".join(
        part for part in (f"[{finding['verdict']}] {finding['title']}: {finding['summary']}", reason) if part
    )
    ElementTree.SubElement(case, "system-out").text = _xml(text)


def _group_result(suite: ElementTree.Element, change: Mapping[str, Any]) -> None:
    """A case for a value of a group that is not the same as in the baseline."""
    name = _xml(f"{change['id']} ({change['group']})")
    case = ElementTree.SubElement(suite, "testcase", classname="simgauge.groups", name=name)
    _properties(case, {"baseline": change["outcome"]})
    text = _xml(f"{change['title']} ({change['group']}), {WORDS[change['outcome']]}: {change['reason']}")
    if change["outcome"] == "worse":
        ElementTree.SubElement(case, "failure", type=str(change["verdicts"][1]), message=text)
    elif change["outcome"] == "inconclusive":
        ElementTree.SubElement(case, "skipped", message=text)
    else:
        ElementTree.SubElement(case, "system-out").text = text


def _properties(parent: ElementTree.Element, values: Mapping[str, Any]) -> None:
    """Facts about a suite or a case; those that say nothing are left out."""
    told = {name: value if isinstance(value, str) else ", ".join(value or ()) for name, value in values.items()}
    if not any(told.values()):
        return
    element = ElementTree.SubElement(parent, "properties")
    for name, value in told.items():
        if value:
            ElementTree.SubElement(element, "property", name=name, value=_xml(value))


def _xml(text: str) -> str:
    """The text with what XML cannot hold shown by its number."""
    return NOT_XML.sub(lambda found: ascii(found.group())[1:-1], text)

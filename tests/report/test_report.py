"""The report: one offline page, every foreign text escaped, every number from the summary."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from importlib import resources

import jsonschema
import numpy as np
import pytest
from markupsafe import escape

from problems import two_tables
from simgauge import Embedding, audit
from simgauge.auditing.page import audit_page
from simgauge.report.html import render, write_report
from simgauge.report.summary import report_summary

HOSTILE = "<img src=x onerror=alert(1)></script><script>alert('x')</script>"
LONG, TURNED = "x" * 10_000, "\u202egnp.exe"
NASTY = [LONG, TURNED, "مرحبا بالعالم", "🧪🧬 tea", "two\nlines\tand\x00more", "\ud800 half", "", "  ", "&amp;"]


class Page(HTMLParser):
    """Tags, attributes and texts of a page, and whether every tag that was opened was closed."""

    VOID = frozenset({"meta", "br", "link", "img", "input"})

    def __init__(self, text):
        super().__init__()
        self.tags, self.stack, self.addresses, self.handlers, self.texts = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href") and value]
        self.handlers += [name for name, _ in attrs if name.startswith("on")]
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.stack.pop() == tag

    def handle_data(self, data):
        if not self.stack or self.stack[-1] not in ("script", "style"):
            self.texts.append(data)


@pytest.fixture
def summary(rng):
    P, Q = two_tables(rng, 80, 40, 6)
    names = [HOSTILE, *NASTY, *(f"item {i} &" for i in range(30))]
    embedding = Embedding(Q, P, item_names=names, user_ids=[f"secret-{i}" for i in range(80)])
    result = audit(embedding, "softmax", popularity=rng.integers(1, 99, 40), k=5)
    gauges = [{"gauge": HOSTILE, "recall": 0.1, "interval": [0.05, 0.15], "best": True}]
    return audit_page(
        result.to_dict(), embedding, title=HOSTILE, popularity=rng.integers(1, 99, 40), shown=[HOSTILE, "item 3 &"],
        recall={"protocol": HOSTILE, "gauges": gauges}, command=f"simgauge audit {HOSTILE}",
    )  # fmt: skip


def test_the_page_is_whole_offline_and_escapes_what_is_not_ours(summary, tmp_path):
    text = write_report(tmp_path / "report.html", summary).read_text(encoding="utf-8")
    page = Page(text)
    assert page.stack == []
    assert page.tags.count("script") == 2, "the numbers and one script"
    assert "img" not in page.tags
    assert page.handlers == []
    assert page.addresses == ["data:,"]
    outside = re.sub(r"<script>.*?</script>", "", text, flags=re.S)
    assert "http:" not in outside
    assert "https:" not in outside
    assert "&lt;script&gt;" in text
    assert 'name="viewport"' in text
    assert "default-src &#39;none&#39;" in text or "default-src 'none'" in text


def test_a_page_never_holds_the_id_of_a_user(summary, rng):
    assert "secret" not in render(summary)
    P, Q = two_tables(rng, 80, 40, 6)
    told = audit(Embedding(Q, P), "unit-sphere", k=5).to_dict()
    rows = told["findings"]
    told["findings"] = [{**row, "details": {**row["details"], "named": ["secret-7"]}} for row in rows]
    shown = {row["id"]: row["named"] for row in report_summary(told, title="t", version="1")["findings"]}
    assert shown["ood_queries"] == []
    assert shown["hubness"] == ["secret-7"], "control: examples that are items are shown"


def test_the_summary_is_described_by_its_schema(summary):
    schema = json.loads(resources.files("simgauge").joinpath("schemas/page.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(json.loads(json.dumps(summary)), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**summary, "more": 1}, schema)


def test_the_page_says_what_the_summary_says(summary):
    text = render(summary)
    for finding in summary["findings"]:
        assert escape(finding["title"]) in text
    assert escape(summary["headline"]) in text
    assert summary["number"]["value"] in text
    assert len(summary["cards"]) <= 3
    for name in summary["explorer"]["names"]:
        assert len(name) <= 80
    assert render(summary) == text


def test_every_number_of_the_page_is_in_its_summary(summary):
    """Control of the law that templates compute nothing: another number in the summary is another page."""
    other = {**summary, "number": {**summary["number"], "value": "1,234 %"}}
    assert "1,234 %" in render(other)


def test_an_audit_alone_makes_a_page_without_a_script(rng):
    result = audit(Embedding(two_tables(rng)[1]), k=3)
    page = Page(render(report_summary(result.to_dict(), title="t", version="1")))
    assert page.stack == []
    assert "script" not in page.tags


def test_without_scripts_the_lists_are_there(summary):
    page = Page(render(summary))
    texts = "".join(page.texts)
    for item in summary["explorer"]["lists"]:
        assert f"Similar to {item['name']}" in texts
        for column in item["gauges"]:
            for neighbor in column["neighbors"]:
                assert neighbor["name"] in texts
    marked = [n for item in summary["explorer"]["lists"] for c in item["gauges"] for n in c["neighbors"]]
    assert any(not neighbor["in_first_list"] for neighbor in marked)


def test_notebook_table_escapes(rng):
    from simgauge.report.fragments import audit_table

    audit_dict = audit(Embedding(two_tables(rng)[1]), k=3).to_dict()
    audit_dict["findings"] = [{**audit_dict["findings"][0], "summary": HOSTILE}]
    assert "<script" not in audit_table(audit_dict)


def test_the_headline_is_about_the_gauge_and_not_about_norms(rng):
    """Spread norms make cosine and dot differ; that says nothing about whether training determined the cosine."""
    Q = rng.standard_normal((300, 8))
    Q = Q / np.linalg.norm(Q, axis=1, keepdims=True) * 1.0000001
    result = audit(Embedding(Q), "unit-sphere", k=5).to_dict()
    result["findings"] = [
        {**row, "verdict": "ok" if row["group"] != "geometry" else "fail"} for row in result["findings"]
    ]
    summary = report_summary(result, title="t", version="1")
    assert summary["headline"].startswith("Yes")
    assert "geometry" in summary["subline"]

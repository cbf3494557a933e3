"""The report: one offline page, every foreign text escaped, every number from the summary."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import numpy as np
import pytest
from markupsafe import escape

from problems import two_tables
from simgauge import Embedding, audit
from simgauge.neighbors import compare_neighbors, standard_gauges
from simgauge.report import figures
from simgauge.report.html import render, write_report
from simgauge.report.summary import report_summary

HOSTILE = "<script>alert('x')</script>"


class Page(HTMLParser):
    """Tags and attributes of a page, and whether every tag that was opened was closed."""

    VOID = frozenset({"meta", "br", "path", "use", "image", "rect", "link", "img"})

    def __init__(self, text):
        super().__init__()
        self.tags, self.stack, self.addresses = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value for name, value in attrs if name in ("src", "href", "xlink:href") and value]
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.stack.pop() == tag


@pytest.fixture
def summary(rng):
    P, Q = two_tables(rng, 80, 40, 6)
    embedding = Embedding(Q, P, item_names=[HOSTILE] + [f"item {i} &" for i in range(39)])
    result = audit(embedding, "softmax", popularity=rng.integers(1, 99, 40), k=5)
    comparison = compare_neighbors(standard_gauges(embedding), [HOSTILE, "item 3 &"], k=4)
    gauges = [{"gauge": HOSTILE, "recall": 0.1, "interval": [0.05, 0.15], "best": True}]
    panels = [{"gauge": "one", "names": ["a", "b"], "cosines": np.eye(2).tolist()}]
    return report_summary(
        result.to_dict(), title=HOSTILE, version="1", neighbors=comparison.to_dict(),
        recall={"protocol": HOSTILE, "gauges": gauges}, panels=panels,
    )  # fmt: skip


def test_the_page_is_whole_offline_and_escapes_what_is_not_ours(summary, tmp_path):
    text = write_report(tmp_path / "report.html", summary).read_text(encoding="utf-8")
    page = Page(text)
    assert page.stack == []
    assert "script" not in page.tags
    assert all(address.startswith(("#", "data:image/")) for address in page.addresses)
    assert "http" not in re.sub(
        r'xmlns(:\w+)?="[^"]*"|<!DOCTYPE[^>]*>', "", re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    )
    assert "&lt;script&gt;" in text
    assert 'name="viewport"' in text


def test_the_page_says_what_the_summary_says(summary):
    text = render(summary)
    for finding in summary["audit"]["findings"]:
        assert escape(finding["title"]) in text
    assert summary["headline"] in text
    assert text.count("<svg") == 7  # overlap, random, certificates, two curves, recall, one panel
    assert render(summary) == text


def test_an_audit_alone_makes_a_page_too(rng):
    result = audit(Embedding(two_tables(rng)[1]), k=3)
    text = render(report_summary(result.to_dict(), title="t", version="1"))
    assert Page(text).stack == []
    assert text.count("<svg") == 3


def test_notebook_table_escapes(summary):
    from simgauge.report.fragments import audit_table

    audit_dict = dict(summary["audit"])
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


def test_figures_from_threads_are_the_same_and_settings_of_matplotlib_stay() -> None:
    import matplotlib as mpl

    rows = [{"condition_number": k, "overlap": 1 / k, "low": 0.5 / k, "high": 1 / k} for k in (2.0, 10.0, 100.0)]
    alone, before = figures.random_gauge_figure(rows), dict(mpl.rcParams)
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: figures.random_gauge_figure(rows), range(16))) == {alone}
    assert dict(mpl.rcParams) == before

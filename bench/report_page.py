"""How large a page is, how long it takes to make, and how long until it can be used, in headless Chromium.

    OMP_NUM_THREADS=1 python bench/report_page.py --json bench/results/report_page.jsonl

Tables of 64 components with 200 planted groups of items and a falling spectrum, names as long as film titles; the first
row is the demo's model. Ready: from the start of the navigation until the first list, heat map and predictions stand.
Move: from one gauge to another whose vectors have been made already, and to one of another centring.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from measure import circumstances, timed, write_rows
from simgauge import Embedding, audit
from simgauge.auditing.page import audit_page
from simgauge.demo import demo
from simgauge.report.html import render

OPENED = 5
"""Times that each page is opened; the median is told."""
SIZES = (10_000, 50_000, 200_000)


def table(n_items: int, n_users: int = 4_000, width: int = 64, groups: int = 200) -> Embedding:
    """Items around planted groups, with a falling spectrum."""
    rng = np.random.default_rng(0)
    spectrum = np.arange(1, width + 1) ** -0.7
    centres = rng.standard_normal((groups, width))
    items = (centres[rng.integers(groups, size=n_items)] + 0.7 * rng.standard_normal((n_items, width))) * spectrum
    users = (centres[rng.integers(groups, size=n_users)] + rng.standard_normal((n_users, width))) * spectrum
    names = [f"A film with a title, part {number} (1999)" for number in range(n_items)]
    return Embedding(items.astype(np.float32), users.astype(np.float32), item_names=names)


def page_of(n_items: int) -> tuple[Any, str, dict[str, float]]:
    """Summary and text of the page, and what it took beyond the audit."""
    if n_items == 0:
        found = demo()
        (summary, text), took = timed(lambda: _made(found.audit.to_dict(), found.embedding, found.popularity))
        return summary, text, took
    embedding = table(n_items)
    popularity = np.random.default_rng(1).zipf(1.4, n_items).clip(max=100_000)
    result = audit(embedding, "als", popularity=popularity).to_dict()
    (summary, text), took = timed(lambda: _made(result, embedding, popularity))
    return summary, text, took


def _made(result: dict[str, Any], embedding: Embedding, popularity: Any) -> tuple[Any, str]:
    summary = audit_page(result, embedding, title="A page", popularity=popularity)
    return summary, render(summary)


def opened(browser: Any, path: Path) -> dict[str, float]:
    """Median milliseconds until the page can be used, and for one move of the gauge."""
    ready, move, center = [], [], []
    for _ in range(OPENED):
        page = browser.new_page()
        page.goto(path.as_uri())
        ready.append(page.evaluate("performance.getEntriesByName('simgauge-ready')[0].startTime"))
        page.select_option("#center", "none")
        move.append(page.evaluate(MOVE, ["alpha", "1", "2"]))
        center.append(page.evaluate(MOVE, ["center", "none", "items"]))
        page.close()
    names = ("ready_ms", "move_ms", "center_ms")
    return {name: round(float(np.median(values))) for name, values in zip(names, (ready, move, center), strict=True)}


MOVE = """([id, first, second]) => {
    const node = document.getElementById(id), moved = (value) => {
        node.value = value;
        node.dispatchEvent(new Event("input"));
        return document.getElementById("heat").getBoundingClientRect().width;
    };
    moved(first);
    const start = performance.now();
    moved(second);
    return performance.now() - start;
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", default=None, help="file that rows are added to")
    parser.add_argument("--sizes", default=",".join(map(str, (0, *SIZES))), help="numbers of items; 0 is the demo")
    asked = parser.parse_args()
    from playwright.sync_api import sync_playwright

    browser_path = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as client, tempfile.TemporaryDirectory() as folder:
        browser = client.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        for n_items in map(int, asked.sizes.split(",")):
            summary, text, took = page_of(n_items)
            path = Path(folder) / f"{n_items}.html"
            path.write_text(text, encoding="utf-8")
            told = summary["explorer"]
            row = {
                "bench": "report_page",
                "problem": "demo" if n_items == 0 else "planted groups",
                "n_items": told["n_items"],
                "n_components": told["n_components"],
                "page_bytes": path.stat().st_size,
                "n_travelling": told["n_travelling"],
                "n_asked": told["n_asked"],
                "make_cpu_seconds": took["cpu_seconds"],
                **opened(browser, path),
                "chromium": browser.version,
                **circumstances("simgauge", "numpy"),
            }
            print({name: row[name] for name in list(row)[1:12]}, flush=True)
            write_rows(asked.json, [row])
        browser.close()


if __name__ == "__main__":
    main()

"""The documentation as `make docs` built it: it works from the disk and on a phone, and its search finds."""

from __future__ import annotations

import os
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

SITE = Path(__file__).parents[2] / "build" / "docs"
PAGES = (
    "index.html",
    "cosine-or-dot.html",
    "start/recommender.html",
    "concepts/bounds.html",
    "notebooks/similar-items.html",
    "reference/api/fix.html",
    "reference/cli.html",
    "results.html",
)


@pytest.fixture(scope="module")
def site() -> Path:
    if not (SITE / "index.html").is_file():
        if os.environ.get("CI"):
            pytest.fail("build/docs is not there: run make docs first (with CI set, this is a failure and no skip)")
        pytest.skip("build/docs is not there: run make docs first")
    return SITE


class Links(HTMLParser):
    """Targets of links, what a page loads by itself, and the ids in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.loaded: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.ids |= {value for name in ("id", "name") if (value := given.get(name))}
        if tag == "a" and given.get("href"):
            self.targets.append(str(given["href"]))
        source = given.get("src") or (given.get("href") if tag == "link" else None)
        if source and given.get("rel") not in ("canonical", "search", "index", "next", "prev", "author"):
            self.loaded.append(source)


def read(page: Path) -> Links:
    return Links(page.read_text(encoding="utf-8"))


def test_every_link_within_the_site_leads_somewhere(site):
    pages = {page.relative_to(site).as_posix(): read(page) for page in site.rglob("*.html")}
    assert len(pages) > 30
    wrong = []
    for name, links in pages.items():
        for target in links.targets:
            address = urlsplit(target)
            if address.scheme or name in ("genindex.html", "search.html"):
                continue
            path = (site / name).parent / unquote(address.path) if address.path else site / name
            if not path.exists():
                wrong.append(f"{name}: {target}")
            elif address.fragment and path.suffix == ".html":
                there = pages[path.resolve().relative_to(site.resolve()).as_posix()]
                wrong += [] if unquote(address.fragment) in there.ids else [f"{name}: {target}"]
    assert not wrong, "\n".join(wrong[:30])


def test_pages_load_nothing_from_elsewhere(site):
    elsewhere = [
        f"{page.name}: {source}"
        for page in site.rglob("*.html")
        for source in read(page).loaded
        if re.match(r"(https?:)?//", source)
    ]
    assert not elsewhere, "\n".join(elsewhere[:30])


def test_no_page_shows_a_failure_or_a_place_on_this_machine(site):
    marks = ("Traceback (most recent call last)", "IProgress not found", str(SITE.parents[1]), sys.prefix)
    found = [
        f"{page.name}: {mark}"
        for page in site.rglob("*.html")
        for mark in marks
        if mark in page.read_text(encoding="utf-8")
    ]
    assert not found, "\n".join(found)


def test_the_parser_sees_what_it_should():
    """Control: a page with a wrong link and a script from elsewhere."""
    found = Links('<a href="gone.html#x">x</a><script src="https://cdn.example/x.js"></script><p id="here">')
    assert (found.targets, found.loaded, found.ids) == (["gone.html#x"], ["https://cdn.example/x.js"], {"here"})


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_quiet_and_asks_nobody(site, open_page, name):
    opened = open_page(site / name)
    opened.page.wait_for_load_state("networkidle")
    told = [message for message in opened.console if not message.startswith("log:")]  # the theme says which it took
    assert not told, f"{told}"
    assert all(request.startswith(("file:", "data:", "blob:")) for request in opened.requests), f"{opened.requests}"


@pytest.mark.parametrize("name", PAGES)
def test_a_phone_scrolls_down_only(site, open_page, name):
    opened = open_page(site / name, viewport={"width": 390, "height": 800})
    wide, seen = opened.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide <= seen


@pytest.mark.parametrize(("words", "page"), [("whitening", "canonical-form"), ("swap threshold", "swap-thresholds")])
def test_the_search_finds_without_a_network(site, open_page, words, page):
    opened = open_page(site / "index.html")
    opened.page.goto(f"{(site / 'search.html').as_uri()}?q={words.replace(' ', '+')}")
    opened.page.wait_for_selector("ul.search li a", timeout=20_000)
    found = opened.page.eval_on_selector_all("ul.search li a", "links => links.map(link => link.href)")
    assert any(page in link for link in found), f"{found[:10]}"


def test_formulas_are_drawn(site, open_page):
    opened = open_page(site / "concepts" / "bounds.html")
    height = opened.page.evaluate("document.querySelector('.formula math').getBoundingClientRect().height")
    assert height > 20

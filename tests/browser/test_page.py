"""The page in a real browser: what its script lists, what it says, how it looks, and that it asks nobody."""

from __future__ import annotations

import numpy as np
import pytest

from page_reader import assert_listed
from problems import two_tables
from simgauge import Embedding, audit
from simgauge.auditing.page import audit_page
from simgauge.report.explorer import travellers
from simgauge.report.html import write_report

HOSTILE = "<img src=x onerror=alert(1)>"
LONG = "a-name-without-any-space-" * 3
KINDS = ("two tables", "candidates", "one table", "32 bits")


def embedding_of(kind):
    rng = np.random.default_rng(5)
    P, Q = two_tables(rng, 200, 150, 8)
    Q = Q * np.geomspace(3.0, 0.3, 8)  # so that gauges differ
    names = [HOSTILE, LONG, "مرحبا بالعالم", "🧪 emoji", "</script><b>x", *(f"film number {i}" for i in range(145))]
    if kind == "one table":
        return Embedding(Q + 0.2, item_names=names)
    kept = np.float32 if kind == "32 bits" else np.float64
    return Embedding((Q + 0.2).astype(kept), (P + 0.3).astype(kept), item_names=names)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Files by kind, with the embeddings that they are about."""
    folder = tmp_path_factory.mktemp("pages")
    made = {}
    defaults = travellers.travellers.__defaults__
    popularity = np.random.default_rng(0).zipf(1.6, 150).clip(max=5_000)
    for kind in KINDS:
        embedding = embedding_of(kind)
        found = audit(embedding, "softmax", popularity=popularity, k=5)
        travellers.travellers.__defaults__ = (6_000,) if kind == "candidates" else defaults
        summary = audit_page(
            found.to_dict(), embedding, title=HOSTILE, popularity=popularity, shown=[HOSTILE, LONG, "film number 3"]
        )
        travellers.travellers.__defaults__ = defaults
        made[kind] = write_report(folder / f"{kind.replace(' ', '-')}.html", summary), embedding, summary
    return made


@pytest.mark.parametrize("kind", KINDS)
def test_it_opens_without_errors_and_asks_nobody(open_page, pages, kind):
    opened = open_page(pages[kind][0])
    assert opened.page.get_attribute("html", "data-ready") == "true"
    assert opened.console == []
    assert [address for address in opened.requests if not address.startswith("file:")] == []
    assert len(opened.requests) == 1
    assert opened.page.evaluate("document.images.length") == 0


def test_control_an_error_of_the_script_is_seen(open_page, pages, tmp_path):
    text = pages["two tables"][0].read_text(encoding="utf-8").replace("controls();", "controlls();")
    broken = tmp_path / "broken.html"
    broken.write_text(text, encoding="utf-8")
    opened = open_page(broken)
    assert any("controlls" in line for line in opened.console)
    assert opened.page.get_attribute("html", "data-ready") is None


@pytest.mark.parametrize("kind", KINDS)
def test_lists_are_those_of_the_library_for_200_random_points(open_page, pages, kind, rng):
    path, embedding, summary = pages[kind]
    data = summary["explorer"]
    assert (data["candidates"] is not None) == (kind == "candidates")
    opened = open_page(path)
    points = [(c, p, g) for c in data["by_center"] for p in data["powers"] for g in data["norm_powers"]]
    if kind == "one table":  # of one table the library has the whitened gauge
        points = [point for point in points if point[1] == 0]
    points.append(None)
    for _ in range(200):
        point, item = points[rng.integers(len(points))], int(rng.integers(data["n_asked"]))
        assert_listed(opened.list(item, point), embedding, point, data["names"][item], data["k"])


def test_control_a_list_of_another_gauge_is_found_out(open_page, pages):
    path, embedding, summary = pages["two tables"]
    shown = open_page(path).list(7, ["none", 0, 0])
    with pytest.raises(AssertionError):
        assert_listed(shown, embedding, ("none", 1.0, 0.0), summary["explorer"]["names"][7], 5)


def texts(page, selector):
    return page.locator(selector).all_inner_texts()


def test_sliders_move_by_keyboard_and_the_page_says_what_stays(open_page, pages):
    opened = open_page(pages["two tables"][0])
    page = opened.page
    page.select_option("#center", "none")
    page.focus("#alpha")
    page.keyboard.press("Home")
    said = page.inner_text("#holds")
    assert said.startswith("Every prediction stays: this is a gauge.")
    assert "less than 0.1 %" in said
    assert page.inner_text("#alpha-value") == "0"
    assert texts(page, "#list-now .name") == opened.list(0, ["none", 0, 0])
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#alpha-value") == "¼"
    assert texts(page, "#list-now .name") == opened.list(0, ["none", 0.25, 0])
    page.select_option("#center", "items")
    said = page.inner_text("#holds")
    assert "one constant" in said
    assert "by less than 0.1 % beyond one constant a user" in said
    page.select_option("#center", "users")
    assert "only chooses another gauge" in page.inner_text("#holds")
    page.focus("#gamma")
    page.keyboard.press("End")
    assert "is a similarity and not a gauge" in page.inner_text("#holds")
    assert texts(page, "#list-now .name") == opened.list(0, ["users", 0.25, 1])
    assert opened.console == []


def test_changed_neighbours_are_marked_on_both_sides(open_page, pages):
    page = open_page(pages["two tables"][0]).page
    page.click("[data-preset='0']")
    before, now = texts(page, "#list-before .name"), texts(page, "#list-now .name")
    assert texts(page, "#list-now .changed .name") == [name for name in now if name not in before] != []
    assert texts(page, "#list-before .changed .name") == [name for name in before if name not in now]
    page.click("[data-preset=shipped]")
    assert texts(page, "#list-now .changed .name") == []


def test_a_neighbour_can_be_asked_for_its_own_neighbours(open_page, pages):
    opened = open_page(pages["candidates"][0])
    askable = opened.page.locator("#list-before button.link")
    inside = opened.page.evaluate(
        "() => simgauge.list(0, simgauge.shippedGauge).filter((entry) => entry.index < simgauge.data.n_asked).length"
    )
    assert askable.count() == inside
    page = open_page(pages["two tables"][0]).page
    wanted = texts(page, "#list-before .name")[2]
    page.locator("#list-before button.link").nth(2).click()
    assert page.inner_text("[data-item-name]") == wanted


def test_search_finds_names_and_offers_the_command_for_others(open_page, pages):
    page = open_page(pages["two tables"][0]).page
    page.fill("#search", "NUMBER 14")
    assert "film number 14" in texts(page, "#results button")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.inner_text("[data-item-name]") == "film number 14"
    page.fill("#search", "film number")
    second = texts(page, "#results button")[1]
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    assert page.inner_text("[data-item-name]") == second
    page.fill("#search", "film number 3")
    page.press("#search", "Enter")
    assert page.inner_text("[data-item-name]") == "film number 3"
    page.fill("#search", "no such 'film'")
    assert page.locator("#results button").count() == 0
    assert "simgauge neighbors ITEMS 'no such '\\''film'\\''' --compare" in page.inner_text("#missing")


def test_names_are_text_wherever_they_stand(open_page, pages):
    opened = open_page(pages["two tables"][0])
    page = opened.page
    assert HOSTILE in page.inner_text("[data-item-name]")
    page.fill("#search", "<")
    assert HOSTILE in texts(page, "#results button")
    assert page.evaluate("document.images.length") == 0
    assert page.evaluate("document.querySelectorAll('#results b').length") == 0
    assert opened.console == []


def test_bounds_are_those_of_the_library(open_page, pages):
    from simgauge import cosine_bounds

    path, embedding, _ = pages["two tables"]
    page = open_page(path).page
    listed = texts(page, "#list-before .name")
    rows = {name: row for row, name in enumerate(embedding.item_names.tolist())}
    low, high = cosine_bounds(embedding.items, [[0, rows[name]] for name in listed], 2.0)
    shown = [text.split(" to ") for text in texts(page, "#certainty .small")]
    assert np.allclose(np.array(shown, dtype=float), np.stack([low, high], axis=1), atol=0.0051)


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
@pytest.mark.parametrize("kind", ["two tables", "one table"])
def test_nothing_overflows_and_no_label_is_cut(open_page, pages, kind, width):
    page = open_page(pages[kind][0], viewport={"width": width, "height": 800}).page
    page.evaluate("document.querySelectorAll('details').forEach((node) => { node.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    cut = page.evaluate(
        """() => [...document.querySelectorAll('svg text')].filter((text) => {
            const own = text.getBoundingClientRect();
            if (!own.width) return false;
            return own.left < -1 || own.right > innerWidth + 1;
        }).map((text) => text.textContent)"""
    )
    assert cut == []
    hidden = page.evaluate(
        """() => [...document.querySelectorAll('bdi, td, .label, .value, h1, h2, p')].filter((node) =>
            node.clientWidth && node.scrollWidth > node.clientWidth + 1
            && getComputedStyle(node).overflowX !== 'visible').map((node) => node.textContent)"""
    )
    assert hidden == []


CONTRAST = """() => {
    const channel = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
    const light = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const parts = (text) => text.match(/[\\d.]+/g).map(Number);
    const behind = (node) => {
        for (; node; node = node.parentElement) {
            const colour = parts(getComputedStyle(node).backgroundColor);
            if (colour.length === 3 || colour[3] === 1) return colour;
        }
        return [255, 255, 255];
    };
    const read = 'h1, p, .badge, th, td, .small, button, .mark, .score, dt, dd';
    return [...document.querySelectorAll(read)].map((node) => {
        const [a, b] = [light(parts(getComputedStyle(node).color)), light(behind(node))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        return [ratio, node.className + ' ' + node.textContent.slice(0, 30)];
    }).filter(([ratio]) => ratio < 4.5);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_both_colour_schemes_are_readable(open_page, pages, scheme):
    page = open_page(pages["two tables"][0], color_scheme=scheme).page
    red, green, blue = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (red + green + blue < 150) == (scheme == "dark")
    assert page.evaluate(CONTRAST) == []


def test_on_paper_one_page_of_summary_comes_first_and_lists_are_there(open_page, pages, tmp_path):
    page = open_page(pages["two tables"][0]).page
    page.emulate_media(media="print")
    assert page.locator("#explorer").is_hidden()
    assert page.locator("#lists").is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('#summary')).breakAfter") == "page"
    closed = page.locator("#findings details dl").first
    assert closed.is_visible(), "what is folded on the screen is open on paper"
    page.pdf(path=tmp_path / "page.pdf", format="A4")
    assert (tmp_path / "page.pdf").stat().st_size > 20_000


def test_without_scripts_it_is_a_page_all_the_same(open_page, pages):
    opened = open_page(pages["two tables"][0], java_script_enabled=False)
    assert opened.page.locator("#explorer").is_hidden()
    assert "Similar to" in opened.page.inner_text("#lists")
    assert HOSTILE in opened.page.inner_text("#lists")


def test_everything_that_acts_can_be_reached_by_keyboard_and_has_a_name(open_page, pages):
    page = open_page(pages["two tables"][0]).page
    acting = "#explorer button, #explorer input, #explorer select"
    reached = set()
    page.focus("#search")
    for _ in range(page.locator(acting).count() + 2):
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.textContent"))
        page.keyboard.press("Tab")
    assert {"search", "alpha", "center", "gamma", "as shipped"} <= reached
    unnamed = page.evaluate(
        """(acting) => [...document.querySelectorAll(acting)].filter((node) =>
            !(node.textContent.trim() || node.labels?.length)).map((node) => node.outerHTML)""",
        acting,
    )
    assert unnamed == []

"""Plain English, as far as a list of phrases can see: in docstrings, messages, pages and comments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [
    *ROOT.glob("*.md"),
    *(ROOT / "docs").glob("**/*.md"),
    ROOT / "bench" / "README.md",
    ROOT / "paper" / "paper.md",
]
SOURCES = [*(ROOT / "src").rglob("*.py"), *(ROOT / "src").rglob("*.toml"), *(ROOT / "src").rglob("*.j2")]

BANNED = {
    r"\bgone through\b": "say what is done: read, scanned, visited",
    r"\bgoes? through\b(?! the| a | an | which|\s+\w+'s)": "say what is done",
    r"\blooked at\b": "examined, checked, used, compared",
    r"\blooks? at (?:the|a|all|every|each)\b": "examines, reads, uses",
    r"\bcomes? (?:here|back)\b": "is copied to the host; is returned",
    r"\bat most so (?:many|much)\b": "at most N",
    r"\bso many\b(?! \w+ as)": "N",
    r"\bwhat else is to be\b": "say it",
    r"\bHow the \w+ is called\b": "Name of the ...",
    r"\bis to be told of\b": "say it",
    r"\bwith what was missed\b": "say what was missed",
    r"\bOf rows that lie elsewhere\b": "a sentence with a subject",
    r"\bhands? out\b": "yields, returns",
    r"\bthe ones? that\b .* \bones?\b": "name them",
    r"\bis there already\b": "exists",
}


def texts():
    for path in sorted({*PAGES, *SOURCES}):
        if path.is_file():
            yield path, path.read_text(encoding="utf-8")


@pytest.mark.parametrize("phrase", BANNED)
def test_no_phrase_that_a_native_reader_trips_over(phrase):
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path, text in texts()
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(phrase, line)
    ]
    listed = "\n".join(found)
    assert not found, f"{BANNED[phrase]}:\n{listed}"


def test_the_list_sees_what_it_should():
    """Control: each phrase is found in a sentence that holds it."""
    bad = "The table is looked at, then gone through; what comes here is at most so many rows."
    assert sum(bool(re.search(phrase, bad)) for phrase in BANNED) >= 4
    assert not any(re.search(phrase, "Rows are read in blocks; at most N stay in memory.") for phrase in BANNED)

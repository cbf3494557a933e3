"""Answers in the nouns of the person who asks; names, paths and options stay as they are."""

from __future__ import annotations

import json

import numpy as np
import pytest

from simgauge import Embedding
from simgauge.cli.nouns import NOUNS, Names, Nouns, singular
from simgauge.errors import ParameterError

WEB = Nouns.parse("documents,queries")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("1 item, 2 items of a user; Users", "1 document, 2 documents of a query; Queries"),
        ("An item and an average item", "A document and an average document"),
        ("item-item cosines of user vectors", "document-document cosines of query vectors"),
        ("note: items: 40 rows", "note: documents: 40 rows"),
        ("a user's items", "a query's documents"),
    ],
)
def test_prose_is_said_in_the_nouns(given, said):
    assert WEB.in_words(given) == said


@pytest.mark.parametrize(
    "text",
    ["--of users", "--users FILE", "item_ids=", "/data/items/x.npy", "items.npy", "'item 3'", "“users centred”",
     "users=3", "u.item", "itemised", "items@host"],
)  # fmt: skip
def test_what_is_no_prose_stays(text):
    assert WEB.in_words(text) == text


def test_an_article_follows_its_noun():
    assert Nouns.parse("articles,readers").in_words("an item, a user") == "an article, a reader"
    assert Nouns.parse("films,artists").in_words("an item, a user") == "a film, an artist"


def test_names_that_hold_a_noun_stay():
    names = Names()
    names.add(["item 3", "my item", "item"])
    assert WEB.in_words("item 3 is an item near my item", names) == "item 3 is a document near my item"
    assert WEB.in_words("item 3", Names()) == "document 3", "control: of an unknown name nothing is known"


def test_singulars():
    plurals = {"companies": "company", "matches": "match", "classes": "class", "songs": "song", "glass": "glass"}
    assert {word: singular(word) for word in plurals} == plurals
    assert Nouns.parse("person:people,query:queries").in_words("1 item") == "1 person"


@pytest.mark.parametrize("text", ["documents", "a,b,c", ",queries", "1,2", ""])
def test_what_is_not_two_nouns_is_refused(text):
    with pytest.raises(ParameterError, match="separated by a comma"):
        Nouns.parse(text)


def test_a_whole_answer_is_in_the_nouns_and_json_is_not(run, tmp_path):
    rng = np.random.default_rng(0)
    names = [f"item {n}" for n in range(60)]
    saved = Embedding(rng.normal(size=(60, 5)), rng.normal(size=(80, 5)), item_names=names).save(tmp_path / "e")
    asked = ("--nouns", "documents,queries")
    code, plain, _ = run("audit", saved, "-k", 5, "--all")
    code, text, err = run("audit", saved, "-k", 5, "--all", *asked)
    assert code == 0
    assert "document" in text + err
    assert "user" in plain, "control: the plain answer speaks of users"
    for word in ("users", "user ", "items"):
        assert word not in (text + err).replace("users centred", "").replace("items centred", "")
    _, shown, _ = run("neighbors", saved, "item 3", "-k", 3, "--compare", *asked)
    assert "Similar to item 3" in shown
    _, told, _ = run("audit", saved, "-k", 5, "--json")
    assert json.loads(told) == json.loads(run("audit", saved, "-k", 5, "--json", *asked)[1])
    assert NOUNS.get() is not None
    assert run("audit", saved, "-k", 5, "--all")[1] == plain, "the next run has its own"


def test_errors_are_in_the_nouns_too(run, tmp_path):
    np.save(tmp_path / "v.npy", np.eye(5))
    code, _, err = run("neighbors", tmp_path / "v.npy", "nobody", "--nouns", "films,viewers")
    assert code == 2
    assert "no film is called" in err

"""Evidence from files is the same from Python and from the command line."""

from __future__ import annotations

import pytest

from simgauge.errors import InputError, ParameterError
from simgauge.evidence import (
    BoughtTogether,
    Clicks,
    CoConsumption,
    Impressions,
    Labels,
    NextItem,
    PairJudgements,
    Relevance,
    UserItems,
    evidence_from_files,
)


def write(path, text):
    path.write_text(text)
    return path


def test_each_kind_from_its_file(tmp_path):
    events = write(tmp_path / "later.csv", "user,item\n" + "".join(f"{u},{i}\n" for u in range(9) for i in range(5)))
    labels = write(tmp_path / "labels.csv", "id,label\n1,a\n2,b\n3,a\n")
    pairs = write(tmp_path / "pairs.csv", "left,right,score\n1,2,3.5\n1,3,1\n2,3,2\n")
    qrels = write(tmp_path / "qrels.txt", "q1 0 d1 1\nq1 0 d2 0\n")
    for given, kind, measure in (
        ({"held_out": events, "k": 3}, CoConsumption, "recall@3"),
        ({"labels": labels, "metric": "recall"}, Labels, "recall@10"),
        ({"pairs": pairs}, PairJudgements, "spearman"),
        ({"qrels": qrels}, Relevance, "ndcg@10"),
    ):
        found = evidence_from_files(**given)
        assert (type(found), found.measure) == (kind, measure)
    assert evidence_from_files() is None
    with pytest.raises(ParameterError, match="--labels and --pairs: pass one kind"):
        evidence_from_files(labels=labels, pairs=pairs)


@pytest.mark.parametrize(
    ("text", "spec", "expected"),
    [
        ("id,title,label\n1,tea with milk,a\n2,gin,b\n", "", {1: {"a"}, 2: {"b"}}),
        ("movieId,title,genres\n1,tea,x|y\n2,gin,y\n", "", {1: {"x|y"}, 2: {"y"}}),
        ("label,id\na,1\nb,2\n", "", {1: {"a"}, 2: {"b"}}),
        ("id,title,sort\n1,tea,a\n2,gin,b\n", ":sort", {1: {"a"}, 2: {"b"}}),
        ("number,title,sort\n1,tea,a\n2,gin,b\n", ":number:title", {1: {"tea"}, 2: {"gin"}}),
        ("1,tea\n2,gin\n", "", {1: {"tea"}, 2: {"gin"}}),
    ],
)
def test_labels_are_where_their_name_says_so(tmp_path, text, spec, expected):
    path = write(tmp_path / "labels.csv", text)
    found = evidence_from_files(labels=f"{path}{spec}").labels
    assert {item: set(names) for item, names in found.items()} == expected


def test_labels_in_doubt_are_asked_for(tmp_path):
    path = write(tmp_path / "labels.csv", "id,title,sort\n1,tea,a\n2,gin,b\n")
    with pytest.raises(InputError, match=r"none is called label.*labels.csv:id:sort"):
        evidence_from_files(labels=path)
    path = write(tmp_path / "pairs.csv", "left,right,comment\n1,2,fine\n")
    with pytest.raises(InputError, match=r"data row 1 has 'fine'.*left, right, comment were taken for a first id"):
        evidence_from_files(pairs=path)


@pytest.fixture
def observed(tmp_path):
    """One file of each kind of what people did."""
    texts = {
        "sessions": "session_id,item_id,timestamp\ns1,a,10\ns1,b,20\ns2,b,5\ns2,c,6\n",
        "together": "one,other,n\na,b,3\nb,c,1\n",
        "clicks": "asked,clicked,position\na,b,1\na,c,4\n",
        "shown": "user,item,taken\n1,b,1\n1,c,0\n",
        "training": "user,item\n1,a\n2,a\n2,b\n",
        "later": "user,item\n1,b\n2,c\n",
    }
    return {name: write(tmp_path / f"{name}.csv", text) for name, text in texts.items()}


def test_what_people_did_makes_evidence_of_its_kind(observed):
    told = []
    for kind, expected in (
        ("sessions", NextItem),
        ("together", BoughtTogether),
        ("clicks", Clicks),
        ("shown", Impressions),
    ):
        found = evidence_from_files(**{kind: observed[kind]}, training=observed["training"], told=told.append)
        assert type(found) is expected
    assert told[0] == "4 rows of sessions.csv: session from 'session_id', item from 'item_id', time from 'timestamp'"
    assert len(told) == 4
    users = evidence_from_files(observed["later"], observed["training"], ask="users", k=3, metric="ndcg")
    assert (type(users), users.measure) == (UserItems, "ndcg@3 for users")


def test_parameters_reach_their_kind_and_no_other(observed):
    found = evidence_from_files(sessions=observed["sessions"], after=7.0, max_gap=12.0, k=4, metric="mrr")
    assert (found.after, found.max_gap, found.k, found.metric) == (7.0, 12.0, 4, "mrr")
    assert evidence_from_files(clicks=observed["clicks"], propensity=0.5).propensity == 0.5
    for wrong, text in (
        ({"together": observed["together"], "after": 3.0}, "after=3.0 has no meaning for evidence from --together"),
        ({"sessions": observed["sessions"], "propensity": 1.0}, "propensity=1.0 has no meaning"),
        ({"shown": observed["shown"], "training": observed["training"], "k": 5}, "k=5 has no meaning"),
        ({"clicks": observed["clicks"], "ask": "users"}, "goes with --held-out"),
        ({"clicks": observed["clicks"], "sessions": observed["sessions"]}, "--sessions and --clicks: pass one kind"),
        ({"held_out": observed["later"], "ask": "queries"}, "ask='queries': expected one of"),
    ):
        with pytest.raises(ParameterError, match=text):
            evidence_from_files(**wrong)
    with pytest.raises(InputError, match="what the users used before: pass that, too"):
        evidence_from_files(shown=observed["shown"])

"""Evidence from files is the same from Python and from the command line."""

from __future__ import annotations

import pytest

from simgauge.errors import InputError, ParameterError
from simgauge.evidence import CoConsumption, Labels, PairJudgements, Relevance, evidence_from_files


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

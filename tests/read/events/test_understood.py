"""Tables of events as people have them: each is read as it is meant, or asked about, or refused with the way out."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

from simgauge.errors import DroppedDataWarning, InputError, ParameterError
from simgauge.interactions import Interactions
from simgauge.read.interactions import read_interactions
from simgauge.read.spill import store_interactions


def told(found) -> str:
    return "\n".join([*found.report["understood"], *found.report["notes"]])


def rows(*lines: str) -> str:
    return "\n".join(lines) + "\n"


TIMES = rows(*(f"{u}\t{i}\t{964982703 + 7 * u + i}" for u in range(1, 6) for i in range(1, 6) if u != i))
MANY_ITEMS = rows(*(f"{u} {(u * 7) % 50} {(u * 11 + 3) % 50}" for u in range(40)))
COUNTS = rows(*(f"{u} {i} {1 + (u * i) % 3}" for u in range(1, 9) for i in range(1, 20) if (u + i) % 2))

READ = [
    # name of the file, content, options, users, items, what is told
    ("plain.csv", "user_id,item_id\n1,2\n1,5\n2,5\n", {}, [1, 2], [2, 5], "first row: user '1', item '2'"),
    ("null.csv", "user_id,item_id\n1,2\nNULL,5\n2,5\n", {}, [1, 2], [2, 5], "user 'NULL' in 1 row"),
    ("nan.csv", "user_id,item_id\n1,2\nnan,5\nNaN,6\nNone,2\n2,5\n", {}, [1, 2], [2, 5], "user 'nan' in 1 row"),
    ("backslash-n.csv", "user_id,item_id\n1,2\n\\N,5\n2,5\n", {}, [1, 2], [2, 5], r"user '\\\\N' in 1 row"),
    ("null-item.csv", "user_id,item_id\n1,2\n1,null\n", {}, [1], [2], "item 'null' in 1 row"),
    ("text-null.csv", "user_id,item_id\nann,2\nNULL,5\n", {"id_type": "text"}, ["NULL", "ann"], ["2", "5"], ""),
    ("again.csv", "user_id,item_id\n1,2\nuser_id,item_id\n2,5\n", {}, [1, 2], [2, 5], "the header again"),
    ("again-w.csv", "user,item,rating\n1,2,3\nuser,item,rating\n2,5,4\n", {}, [1, 2], [2, 5], "0.5|3 to 4"),
    ("again-text.csv", "user,item\nann,tea\nuser,item\nbob,tea\n", {}, ["ann", "bob"], ["tea"], "the header again"),
    ("float.csv", "user_id,item_id\n1,2\n1.0,5\n2.0,5\n", {}, [1, 2], [2, 5], ""),
    ("versions.csv", "user_id,item_id\n1.0,2\n1.5,5\n", {}, ["1.0", "1.5"], [2, 5], ""),
    ("huge.csv", "user_id,item_id\n18446744073709551617,2\n5,2\n", {}, ["18446744073709551617", "5"], [2], ""),
    ("like.csv", "user_id,item_id,action\n1,2,dislike\n1,5,like\n", {}, [1], [2, 5], "--like 'action=like'"),
    ("liked.csv", "user_id,item_id,action\n1,2,dislike\n1,5,like\n", {"like": "action=like"}, [1], [5], "1 event of 2"),
    ("views.csv", "user_id,item_id,event\n1,2,view\n1,5,buy\n2,5,view\n", {"like": "event=buy,cart"}, [1], [5], ""),
    ("stars.csv", "user,item,stars\n1,2,1\n1,5,5\n", {}, [1], [2, 5], "weak sign of liking and not of dislike"),
    ("four.csv", "user,item,stars\n1,2,1\n1,5,5\n2,2,4\n", {"like": ">=4"}, [1, 2], [2, 5], "2 events of 3"),
    (
        "plays.csv",
        "user,item,plays\n1,2,1\n1,5,352698\n2,5,3\n",
        {},
        [1, 2],
        [2, 5],
        "consider --weight-transform log1p",
    ),
    ("clicks.csv", "user,item,clicks\n1,2,1\n1,5,3\n2,5,3\n", {}, [1, 2], [2, 5], "taken as how often"),
    ("sums.csv", "user,item,clicks\n1,2,1\n1,2,3\n", {}, [1], [2], "they were added up"),
    ("lines.csv", "user,item,rating\n1,2,5\n1,2,3\n", {}, [1], [2], "the last was kept"),
    (
        "unused.csv",
        "user,item,rating,age,city\n1,2,5,30,a\n2,2,4,31,b\n",
        {},
        [1, 2],
        [2],
        "columns not used: age .*city",
    ),
    (
        "who.csv",
        "who,what\nann1,tea2\nann2,tea5\n",
        {"has_header": True, "user": "who", "item": "what"},
        ["ann1", "ann2"],
        ["tea2", "tea5"],
        "first row",
    ),
    (
        "ask.csv",
        "who,what\nann1,tea2\nann2,tea5\n",
        {},
        ["ann1", "ann2", "who"],
        ["tea2", "tea5", "what"],
        "pass --header",
    ),
    ("u.data", TIMES, {"user": 0, "item": 1}, [1, 2, 3, 4, 5], [1, 2, 3, 4, 5], "columns not used: column2"),
    (
        "movielens.dat",
        "1::1193::5::978300760\n1::661::3::978302109\n2::661::4::978301968\n",
        {},
        [1, 2],
        [661, 1193],
        "",
    ),
    (
        "recbole.inter",
        "user_id:token\titem_id:token\trating:float\ttimestamp:float\n1\t2\t3.5\t10\n2\t5\t4\t11\n",
        {},
        [1, 2],
        [2, 5],
        "weight: 'rating'",
    ),
    ("konect.txt", "% bip weighted\n% 3 2 2\n1 2 1\n1 5 3\n2 5 1\n", {}, [1, 2], [2, 5], "2 lines of comment"),
    ("hash.txt", "# written by us\n1 2\n1 5\n2 5\n", {}, [1, 2], [2, 5], "1 line of comment"),
    ("hash-header.csv", "#user,item\n1,2\n2,5\n", {}, [1, 2], [2, 5], "took 'user'"),
    ("hashtags.csv", "user,item\n#love,2\n#tea,5\n#tea,2\n", {}, ["#love", "#tea"], [2, 5], ""),
    (
        "backslash.csv",
        'User-ID;ISBN;T\n"1";"02";"The \\"Big\\" One; x"\n"2";"05";"a"\n',
        {"user": "User-ID", "item": "ISBN"},
        [1, 2],
        ["02", "05"],
        "columns not used: T",
    ),
    ("anime.csv", "user_id,anime_id,rating\n1,2,3\n2,5,4\n", {}, [1, 2], [2, 5], "took 'anime_id'"),
    ("recipe.csv", "userId,recipeId\n1,2\n2,5\n", {}, [1, 2], [2, 5], "took 'recipeId'"),
    ("semicolon.csv", "user;item;count\n1;2;3\n2;5;4\n", {}, [1, 2], [2, 5], ""),
    ("pipe.txt", "user|item\n1|2\n2|5\n", {}, [1, 2], [2, 5], ""),
    ("named.csv", "1,0,2\n7,8,9\n7,6,5\n", {"user": "=1", "item": "=0", "has_header": True}, [7], [6, 8], ""),
    ("numbered.csv", "1,0,2\n7,8,9\n7,6,5\n", {"user": "#0", "item": "#1", "has_header": True}, [7], [6, 8], ""),
    ("bom.csv", "\ufeffuser,item\n1,2\n", {}, [1], [2], ""),
    ("blank.csv", "user,item\n1,2\n\n2,5\n", {"on_bad_row": "drop"}, [1, 2], [2, 5], ""),
    ("zero.csv", "user,item,count\n1,2,0\n2,5,1\n", {}, [2], [5], ""),
    ("counts.txt", COUNTS, {}, list(range(1, 9)), list(range(1, 20)), "took user=0, item=1, weight=2"),
    ("unknown.csv", "user,item,weight\n,2,nan\n1,2,3\n", {}, [1], [2], ""),
]


@pytest.mark.parametrize(("name", "content", "options", "users", "items", "says"), READ, ids=[row[0] for row in READ])
def test_what_is_read_as_it_is_meant(tmp_path, name, content, options, users, items, says):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DroppedDataWarning)
        found = read_interactions(path, **options)
        stored = store_interactions(path, tmp_path / "store", **options).in_memory()
    assert found.user_ids.tolist() == users
    assert found.item_ids.tolist() == items
    assert re.search(says, told(found)), told(found)
    assert (stored.matrix != found.matrix).nnz == 0, "on disk as in memory"
    assert stored.item_ids.tolist() == items


ASKED = [
    ("time.data", TIMES, {}, "look like times and not like weights.*--time 2"),
    ("items.txt", MANY_ITEMS, {}, "ids of items in column 1.*awk"),
    ("lightgcn.txt", "0 1 2 3\n1 4\n2 1 4\n", {}, "LightGCN.*awk"),
    ("pairs.svm", "1 3:1.0 7:2\n0 3:1\n", {}, "svmlight.*load_svmlight_file"),
    ("comma.csv", "user;item;count\n1;2;3,5\n", {}, "decimal comma: write 3.5"),
    ("negative.csv", "user,item,count\n1,2,-1\n1,3,1\n", {}, r"is -1.*--like '>0'"),
    ("names.csv", "1,0,2\n7,8,9\n", {"user": "1", "item": "0", "has_header": True}, "Pass '=1' for the name or '#1'"),
    (
        "pivot.csv",
        rows(",".join(f"i{n}" for n in range(9)), *(",".join("012301230") for _ in range(5))),
        {},
        "users in rows",
    ),
    ("square.csv", rows(*(",".join(str((r * c) % 2) for c in range(9)) for r in range(9))), {}, "it is square"),
    ("empty.csv", "user,item\n", {}, "holds no rows"),
    ("one.csv", "user,item\nNULL,1\n", {}, "lack a user or item id"),
    ("short.csv", "user,item\n1,2\n3\n", {}, "--on-bad-row drop"),
    ("none.csv", "user,item,count\n1,2,1\n", {"like": ">=4"}, "no event fulfils like='>=4'"),
    ("nocolumn.csv", "user,item\n1,2\n", {"like": "action=like"}, "has no column 'action' for like"),
    ("twoids.csv", "user_id,shop_id,dish_id\n1,2,3\n", {}, "--item or item= to name it"),
    ("unnamed.csv", "customer,thing\n1,2\n", {}, "--item or item= to name it"),
]


@pytest.mark.parametrize(("name", "content", "options", "says"), ASKED, ids=[row[0] for row in ASKED])
def test_what_is_asked_about_or_refused_with_the_way_out(tmp_path, name, content, options, says):
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_interactions(path, **options)
    assert re.search(says, str(caught.value)), str(caught.value)
    with pytest.raises(InputError) as refused:
        store_interactions(path, tmp_path / "store", **options)
    assert str(refused.value)


def test_the_ways_out_of_a_time_like_column_work(tmp_path):
    path = tmp_path / "time.data"
    path.write_text(TIMES)
    assert read_interactions(path, 0, 1).matrix.max() == 1
    assert read_interactions(path, 0, 1, time=2).matrix.max() == 1
    assert read_interactions(path, 0, 1, 2).matrix.max() > 9e8


def test_weights_after_each_rule_and_transform(tmp_path):
    path = tmp_path / "plays.csv"
    path.write_text("user,item,plays\n1,2,1\n1,2,4\n2,2,3\n")
    for options, expected in (
        ({}, [5, 3]),
        ({"duplicates": "last"}, [4, 3]),
        ({"duplicates": "mean"}, [2.5, 3]),
        ({"weight_transform": "log1p"}, [np.log(6), np.log(4)]),
        ({"weight_transform": "binary"}, [1, 1]),
        ({"weight_transform": "log1p", "duplicates": "last"}, [np.log(5), np.log(4)]),
        ({"like": ">=4"}, [1]),
    ):
        found = read_interactions(path, **options)
        assert found.matrix.data == pytest.approx(expected), f"{options}"
        if options != {"weight_transform": "log1p"}:
            stored = store_interactions(path, tmp_path / "store", **options).in_memory()
            assert stored.matrix.data == pytest.approx(expected), f"{options}"
    with pytest.raises(ParameterError, match="needs the interactions in memory"):
        store_interactions(path, tmp_path / "store", weight_transform="log1p")


def test_matrices_take_transforms_and_conditions_too():
    seen = Interactions([[1.0, 4.0], [0.0, 5.0]])
    assert read_interactions(seen, like=">=4").matrix.toarray().tolist() == [[0, 1], [0, 1]]
    assert read_interactions(seen, weight_transform="log1p").matrix.max() == pytest.approx(np.log(6))
    with pytest.raises(ParameterError, match="only its weights"):
        read_interactions(seen, like="action=like")

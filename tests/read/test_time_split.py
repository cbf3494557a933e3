"""One reading, two parts: what is held out is later, new, and of the users it says."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from simgauge.errors import InputError, ParameterError
from simgauge.evidence import held_out_evidence
from simgauge.read import time_split
from simgauge.read.interactions import read_interactions
from simgauge.read.time_split import parse_cut, split_by_time


@pytest.fixture
def events(rng):
    n = 3000
    frame = pd.DataFrame({"user": rng.integers(0, 150, n), "item": rng.integers(0, 60, n)})
    frame["timestamp"] = 1_600_000_000 + rng.permutation(n) * 1000
    return frame


def pairs(interactions):
    matrix = interactions.matrix.tocoo()
    return set(zip(interactions.user_ids[matrix.row], interactions.item_ids[matrix.col], strict=True))


@pytest.mark.parametrize("share", [0.1, 0.4])
def test_one_moment_for_everybody(events, share):
    found = split_by_time(events, share)
    last = sorted(events.timestamp)[len(events) - round(share * len(events)) - 1]
    early, late = events[events.timestamp <= last], events[events.timestamp > last]
    trained = set(zip(early.user, early.item, strict=True))
    assert pairs(found.training) == trained
    assert pairs(found.held_out) == set(zip(late.user, late.item, strict=True)) - trained
    counts = early.groupby(["user", "item"]).size()
    assert found.training.matrix.sum() == counts.sum(), "the weights of the training part are its own events"


def test_one_moment_for_each_user(events):
    found = split_by_time(events, 0.3, by="user")
    first = events.groupby(["user", "item"]).timestamp.min()
    assert not pairs(found.training) & pairs(found.held_out)
    assert pairs(found.training) | pairs(found.held_out) == set(first.index)
    for user, own in first.groupby("user"):
        held = [own[user, item] for who, item in pairs(found.held_out) if who == user]
        kept = [own[user, item] for who, item in pairs(found.training) if who == user]
        assert len(held) == np.floor(0.3 * len(own) + 0.5)
        assert not held or max(kept) < min(held)


def test_order_of_the_rows_and_dates_change_nothing(events):
    one = split_by_time(events, at=1_601_000_000)
    mixed = events.sample(frac=1.0, random_state=1)
    dates = mixed.assign(timestamp=pd.to_datetime(mixed.timestamp, unit="s").astype(str))
    for other, at in ((mixed, 1_601_000_000), (dates, "2020-09-25T02:13:20")):
        again = split_by_time(other, at=at)
        assert pairs(again.training) == pairs(one.training)
        assert pairs(again.held_out) == pairs(one.held_out)
    assert pairs(split_by_time(events, at=1_601_000_001).training) == pairs(one.training)
    assert pairs(split_by_time(events, at=1_602_000_000).training) != pairs(one.training), "control"


def test_the_table_is_read_once(events, tmp_path, monkeypatch):
    path = tmp_path / "events.csv"
    events.to_csv(path, index=False)
    opened = []
    original = time_split.read_table
    monkeypatch.setattr(time_split, "read_table", lambda *a, **k: opened.append(1) or original(*a, **k))
    found = split_by_time(path, 0.2)
    assert len(opened) == 1
    assert found.sentences[0].startswith("cut by time (after 2020-")
    assert read_interactions(path).nnz >= found.training.nnz + found.held_out.nnz


def test_the_parts_are_evidence(events):
    found = split_by_time(events, 0.3)
    evidence = held_out_evidence(found.held_out, found.training, k=5)
    assert evidence.held_out.nnz > 0
    assert evidence.without(found.training)[1] == 0


def test_a_cut_for_each_user_is_suggested_where_one_for_all_leaves_few():
    """Every user has a week of their own, as in data that were collected user by user."""
    users = np.repeat(np.arange(200), 6)
    frame = pd.DataFrame(
        {"user": users, "item": np.tile(np.arange(6), 200), "time": users * 100 + np.tile(range(6), 200)}
    )
    found = split_by_time(frame, 0.2)
    assert "only 0 users can be asked" in found.sentences[-1] or "only 1 user can be asked" in found.sentences[-1]
    assert "--split user:0.2, by='user') leaves 200" in found.sentences[-1]
    assert not any("can be asked" in line for line in split_by_time(frame, 0.2, by="user").sentences)
    shuffled = frame.assign(time=np.random.default_rng(0).permutation(len(frame)))
    assert not any("can be asked" in line for line in split_by_time(shuffled, 0.2).sentences), "control"


def test_what_was_repeated_and_what_has_no_time_is_told(events):
    some = events.assign(timestamp=events.timestamp.astype(float))
    some.loc[:49, "timestamp"] = np.nan
    said = " ".join(split_by_time(some, 0.2).sentences)
    assert "repeat a pair that was trained on" in said
    assert "50 events without a time are trained on and never held out" in said


def test_what_was_not_liked_is_neither_trained_on_nor_in_the_way(events):
    rated = events.assign(rating=np.where(np.arange(len(events)) % 2, 5, 1))
    found = split_by_time(rated, at=1_602_000_000, like=">=4", weight="rating", duplicates="max")
    liked = rated[rated.rating >= 4]
    early = liked[liked.timestamp <= 1_602_000_000]
    trained = set(zip(early.user, early.item, strict=True))
    assert pairs(found.training) == trained
    assert pairs(found.held_out) == set(zip(liked.user, liked.item, strict=True)) - trained


def test_input_that_cannot_be_cut(events):
    with pytest.raises(InputError, match=r"no column called timestamp, time, datetime, date or the like .*--time"):
        split_by_time(events.rename(columns={"timestamp": "moment"}))
    assert split_by_time(events.rename(columns={"timestamp": "moment"}), time="moment").training.nnz
    with pytest.raises(InputError, match=r"nothing new happened later than the cut .*from 2020-09-13"):
        split_by_time(events, at="2030-01-01")
    with pytest.raises(InputError, match="nothing new happened up to the cut"):
        split_by_time(events, at="2001-01-01")
    with pytest.raises(InputError, match="nothing new happened later"):
        split_by_time(events.assign(timestamp=5))
    with pytest.raises(InputError, match="no event that counts has a number or a date"):
        split_by_time(events.assign(timestamp="soon"))
    mixed = events.assign(timestamp=np.where(np.arange(len(events)) % 2, events.timestamp, events.timestamp * 1000))
    with pytest.raises(InputError, match=r"1500 rows look like seconds since 1970 .* and 1500 rows like milliseconds"):
        split_by_time(mixed)
    for wrong in ({"share": 1.5}, {"share": 0.2, "at": 5}, {"by": "week"}, {"at": 5, "by": "user"}, {"at": "soon"}):
        with pytest.raises(ParameterError, match=r"split=1.5|at=|by='week'"):
            split_by_time(events, **wrong)


def test_what_the_option_says():
    assert parse_cut("1600000000").at == 1_600_000_000
    for wrong in ("user:two", "user:1.5", "0", "-3", "later"):
        with pytest.raises(ParameterError, match="split="):
            parse_cut(wrong)

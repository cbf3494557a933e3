"""How often `fix` calls a candidate better where none is: simulated nulls for each kind of evidence of what people did.

    OMP_NUM_THREADS=1 python bench/evidence_nulls.py [--repeats 200] [--json bench/results/evidence_nulls.jsonl]

Eight candidates, the vectors as they are among them, have lists that share no item, and people take from the list of
each with the same chance; so all have the same expected score, exactly. Within a person (a session, an item) one list
is preferred, so that what one person does is no independent evidence: `--units events` takes each event for a unit of
its own, which is the control. An interval of 95 % that holds for all candidates together should lie above "no gain" in
2.5 % of the nulls: of 200, in 9 or fewer 19 times of 20.
"""

from __future__ import annotations

import argparse
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse

from measure import circumstances, write_rows
from simgauge import Embedding, Interactions
from simgauge.evidence import BoughtTogether, Clicks, CoConsumption, Impressions, NextItem, SimilarUsers, UserItems
from simgauge.remedies import LeaveAlone
from simgauge.selection.deciding import Settings, decide
from simgauge.selection.scoring import score_candidates

N_ITEMS, N_CANDIDATES, K = 96, 8, 11
"""Every item has a list of K others in each candidate, all different: a round robin of 96 has 95 days, 8 x 11 of them
are given to the candidates."""

PREFERENCE = 0.4
"""Of Dirichlet's distribution: small numbers make one list much preferred within a person."""


class Lists:
    """A candidate whose lists are given."""

    metric = "cosine"

    def __init__(self, name: str, lists: Any) -> None:
        self.name, self.lists = name, lists

    def fit(self, *_: Any) -> Lists:
        return self

    def transform(self, embedding: Embedding) -> Embedding:
        return embedding

    def neighbors(self, embedding: Embedding, k: int, rows: Any = None) -> tuple[Any, Any]:  # noqa: ARG002
        return self.lists[rows][:, :k], None


class Tables(LeaveAlone):
    """A candidate with vectors of its own for both sides."""

    def __init__(self, number: int = 0, metric: str = "cosine") -> None:
        super().__init__(metric)
        self.number = number

    @property
    def name(self) -> str:
        return f"c{self.number}"

    def transform(self, embedding: Embedding) -> Embedding:
        rng = np.random.default_rng([7, self.number])
        return embedding.with_tables(
            rng.standard_normal(embedding.items.shape), rng.standard_normal(embedding.users.shape)
        )


def round_robin(rng: np.random.Generator) -> np.ndarray:
    """(candidates, items, K): j is in the list of i exactly when i is in that of j, and in one candidate only."""
    others, days = np.arange(1, N_ITEMS), []
    for _ in range(N_ITEMS - 1):
        order = np.concatenate([[0], others])
        partner = np.empty(N_ITEMS, dtype=np.int64)
        partner[order], partner[order[::-1]] = order[::-1], order
        days.append(partner)
        others = np.roll(others, 1)
    chosen = rng.permutation(len(days))[: N_CANDIDATES * K].reshape(N_CANDIDATES, K)
    relabel = rng.permutation(N_ITEMS)
    back = np.argsort(relabel)
    return relabel[np.stack(days)[chosen][:, :, back]].transpose(0, 2, 1)


def taken(lists: np.ndarray, item: int, preference: np.ndarray, rng: np.random.Generator) -> int:
    return int(rng.choice(lists[rng.choice(N_CANDIDATES, p=preference), item]))


def preferences(n: int, rng: np.random.Generator, strength: float = PREFERENCE) -> np.ndarray:
    return rng.dirichlet(np.full(N_CANDIDATES, strength), n)


def next_item(lists: np.ndarray, rng: np.random.Generator) -> NextItem:
    sessions, items, preference = [], [], preferences(80, rng)
    for session in range(80):
        item = int(rng.integers(N_ITEMS))
        for _ in range(int(rng.integers(3, 12))):
            sessions.append(session)
            items.append(item)
            item = taken(lists, item, preference[session], rng)
    return NextItem(sessions, items, k=K)


def users_with_sessions(lists: np.ndarray, rng: np.random.Generator) -> NextItem:
    """Several sessions of one user, who prefers one list: the unit is the user."""
    users, sessions, items, preference = [], [], [], preferences(50, rng)
    for session in range(200):
        item = int(rng.integers(N_ITEMS))
        for _ in range(4):
            users.append(session % 50)
            sessions.append(session)
            items.append(item)
            item = taken(lists, item, preference[session % 50], rng)
    return NextItem(sessions, items, users=users, k=K)


def together(lists: np.ndarray, rng: np.random.Generator) -> BoughtTogether:
    """Each item has its own preference, and its partners are asked about it too."""
    preference, left, right = preferences(N_ITEMS, rng, 0.15), [], []
    for item in range(N_ITEMS):
        for _ in range(int(rng.integers(4, 12))):
            left.append(item)
            right.append(taken(lists, item, preference[item], rng))
    return BoughtTogether(left, right, rng.integers(1, 6, len(left)), k=K)


def clicks(lists: np.ndarray, rng: np.random.Generator) -> Clicks:
    asked, clicked, sessions, preference = [], [], [], preferences(120, rng)
    for session in range(120):
        for _ in range(int(rng.integers(1, 8))):
            asked.append(int(rng.integers(N_ITEMS)))
            clicked.append(taken(lists, asked[-1], preference[session], rng))
            sessions.append(session)
    chance = 1.0 / np.arange(1, 11)
    return Clicks(asked, clicked, rng.choice(np.arange(1, 11), len(asked), p=chance / chance.sum()), sessions, k=K)


def clicks_by_item(lists: np.ndarray, rng: np.random.Generator) -> Clicks:
    """Nobody knows who clicked: the unit is the item that was asked with, each with its own preference."""
    asked, clicked, preference = [], [], preferences(N_ITEMS, rng)
    for _ in range(400):
        asked.append(int(rng.integers(N_ITEMS)))
        clicked.append(taken(lists, asked[-1], preference[asked[-1]], rng))
    return Clicks(asked, clicked, rng.integers(1, 11, len(asked)), k=K)


def used_and_held_out(rng: np.random.Generator) -> tuple[Interactions, CoConsumption]:
    """Users of very different activity, who take items at random."""
    activity = np.minimum(4 + rng.zipf(1.8, 100), 40)
    both = np.zeros((100, N_ITEMS))
    for user, count in enumerate(activity):
        both[user, rng.choice(N_ITEMS, count, replace=False)] = rng.permutation(count) % 2 + 1
    used, later = (Interactions(sparse.csr_array((both == part).astype(float))) for part in (1, 2))
    return used, CoConsumption(used, later, k=K)


def user_items(_: np.ndarray, rng: np.random.Generator) -> UserItems:
    return UserItems(used_and_held_out(rng)[1])


def similar_users(_: np.ndarray, rng: np.random.Generator) -> SimilarUsers:
    return SimilarUsers(used_and_held_out(rng)[1])


def impressions(_: np.ndarray, rng: np.random.Generator) -> Impressions:
    """Slates that a model of the person's own ranks: what is taken has nothing to do with the candidates."""
    used, _ = used_and_held_out(rng)
    users = np.repeat(np.arange(100), 12)
    items = rng.integers(0, N_ITEMS, len(users))
    taste = rng.standard_normal((100, 5)) @ rng.standard_normal((5, N_ITEMS))
    return Impressions(used, users, items, taste[users, items] > 0.5)


KINDS: dict[str, Callable[[np.ndarray, np.random.Generator], Any]] = {
    "next item, sessions": next_item,
    "next item, users": users_with_sessions,
    "bought together": together,
    "clicks, sessions": clicks,
    "clicks, items": clicks_by_item,
    "user items": user_items,
    "similar users": similar_users,
    "impressions": impressions,
}


class Forgetful:
    """A scorer that does not tell what items move, which many pairs share."""

    def __init__(self, scorer: Any) -> None:
        self.scorer, self.n_units, self.exponents = scorer, scorer.n_units, scorer.exponents

    def scores(self, candidate: Any, embedding: Embedding) -> Any:
        return self.scorer.scores(candidate, embedding)._replace(drawn=None)


def as_single_events(evidence: Any) -> Any:
    """The control: every observed pair is a unit of its own."""
    if isinstance(evidence, BoughtTogether):
        return evidence
    pairs = evidence.pairs._replace(units=np.arange(len(evidence.pairs.units)))
    object.__setattr__(evidence, "pairs", pairs)
    return evidence


def null(kind: str, seed: int, units: str = "own") -> dict[str, Any]:
    """One null: whether a candidate is chosen, and whether any is called better or worse."""
    rng = np.random.default_rng([seed, list(KINDS).index(kind)])
    lists = round_robin(rng)
    evidence = KINDS[kind](lists, rng)
    evidence = as_single_events(evidence) if units == "events" else evidence
    with_vectors = not hasattr(evidence, "pairs")
    embedding = Embedding(rng.standard_normal((N_ITEMS, 6)), rng.standard_normal((100, 6)))
    candidates = [Tables(n) if with_vectors else Lists(f"c{n}", lists[n]) for n in range(N_CANDIDATES)]
    scorer = evidence.bind(embedding, seed)
    scorer = Forgetful(scorer) if units == "events" else scorer
    scored = score_candidates(candidates, embedding, None, scorer, strict=True)
    about = {"measure": evidence.measure, "unit": evidence.unit, "n_units": scorer.n_units, "notes": []}
    found = decide(scored, evidence.scale, Settings(n_resamples=400, seed=seed), about)
    called = [row.significant for row in found.table]
    return {"chosen": found.decision == "improved", "better": "better" in called, "worse": "worse" in called}


def rates(kind: str, repeats: int, units: str = "own") -> dict[str, Any]:
    """Shares of nulls with a claim."""
    found = [null(kind, seed, units) for seed in range(repeats)]
    return {
        "kind": kind,
        "units": units,
        "nulls": repeats,
        **{name: sum(one[name] for one in found) / repeats for name in ("chosen", "better", "worse")},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=200)
    parser.add_argument("--units", choices=["own", "events"], default="own")
    parser.add_argument("--json")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    rows = []
    for kind in KINDS:
        if arguments.units == "events" and kind in ("user items", "similar users", "impressions"):
            continue
        rows.append({**rates(kind, arguments.repeats, arguments.units), **circumstances("numpy", "scipy")})
        shares = "  ".join(f"{name} {rows[-1][name]:6.1%}" for name in ("better", "worse", "chosen"))
        print(f"{kind:22} {shares}")
    write_rows(arguments.json, rows)


if __name__ == "__main__":
    main()

"""How often `fix` with its search claims an improvement where there is none.

    OMP_NUM_THREADS=1 python bench/search_null.py --runs 200 --out bench/results/search_null.jsonl

Users take items at random, all items alike, so every candidate finds the same share of what is held out in expectation.
At 95 % two-sided, 2.5 % of the runs may claim a gain. "search on all users" is the control: the same search, decided on
by all users, those of the search among them.
"""

from __future__ import annotations

import argparse
import json
import warnings
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from simgauge import Embedding, fix
from simgauge.evidence import CoConsumption
from simgauge.interactions import Interactions
from simgauge.selection import searching

N_USERS, N_ITEMS, WIDTH = 400, 60, 8


def null(seed: int) -> tuple[Embedding, CoConsumption]:
    rng = np.random.default_rng(seed)
    taken = np.argsort(rng.random((N_USERS, N_ITEMS)), axis=1)[:, :7]
    sides = []
    for part in (taken[:, :4], taken[:, 4:]):
        rows = np.repeat(np.arange(N_USERS), part.shape[1])
        sides.append(Interactions(sp.csr_array((np.ones(part.size), (rows, part.ravel())), shape=(N_USERS, N_ITEMS))))
    items = rng.standard_normal((N_ITEMS, WIDTH)) * np.linspace(0.3, 2, WIDTH)
    return Embedding(items, rng.standard_normal((N_USERS, WIDTH))), CoConsumption(*sides, k=10)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    honest = searching.search_candidates

    def dishonest(evidence: CoConsumption, *rest: object, **options: object) -> searching.Plan:
        return honest(evidence, *rest, **options)._replace(deciding=evidence)  # type: ignore[arg-type]

    claims = {"as it is": 0, "search on all users": 0}
    for seed in range(args.runs):
        embedding, evidence = null(seed)
        for name, search in (("as it is", honest), ("search on all users", dishonest)):
            fix.__globals__["search_candidates"] = search
            found = fix(embedding, evidence, rng=seed, trust_ids=True)
            claims[name] += found.decision == "improved"
        if (seed + 1) % 20 == 0:
            print(seed + 1, claims, flush=True)
    if args.out:
        rows = [{"what": name, "runs": args.runs, "claims": int(count)} for name, count in claims.items()]
        args.out.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()

"""How often `fix` claims what is not so, and how often its intervals hold the truth.

    OMP_NUM_THREADS=1 python bench/claims.py [--repeats 400] [--out bench/results]

Nulls for four kinds of evidence (tests/nulls.py): no candidate is better than another, and whatever is chosen is a
false claim; 2.5 % are meant. Losses: every candidate gains on one measure and loses on the other as much as is just not
allowed. Intervals: candidates on users drawn from a population whose means are known. Each has a control: what was done
before, or what would be done for one candidate alone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from nulls import KINDS, chosen_by, false_losses, interval_holds

Row = dict[str, Any]


def share(name: str, meant: str, once: Callable[[int], Any], repeats: int) -> Row:
    found = [bool(once(seed)) for seed in range(repeats)]
    row = {"what": name, "meant": meant, "found": round(float(np.mean(found)), 4), "repeats": repeats}
    print(" | ".join(map(str, row.values())), flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=400)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    rows = []
    for kind in KINDS:
        for control in (False, True):
            name = f"false choice, {kind}" + (", control" if control else "")
            once = lambda seed, kind=kind, control=control: chosen_by(kind, seed, control, 2000)  # noqa: E731
            rows.append(share(name, "more than 2.5 %" if control else "at most 2.5 %", once, args.repeats))
    for control in (False, True):
        name = "a loss beyond the limit is chosen" + (", control" if control else "")
        meant = "more than 2.5 %" if control else "at most 2.5 %"
        rows.append(share(name, meant, lambda seed, c=control: false_losses(seed, c), args.repeats))
    for case in ("all the same", "near ties", "one clear winner"):
        for control in (False, True):
            name = f"the interval of the gain holds the truth, {case}" + (", control" if control else "")
            once = lambda seed, case=case, control=control: interval_holds(case, seed, control)  # noqa: E731
            rows.append(share(name, "below 95 %" if control else "at least 95 %", once, args.repeats))
    if args.out:
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (args.out / "claims.jsonl").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

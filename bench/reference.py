"""The reference table of the audit: what each finding is on real embeddings, of which facts only are kept.

    PYTHONPATH=DIR-OF-ENCODERS OMP_NUM_THREADS=1 python bench/reference.py make  SCRATCH [kind ...]
    OMP_NUM_THREADS=1 python bench/reference.py audit SCRATCH [--write]

`make` trains or encodes the embeddings of `reference_tables.KINDS` and keeps them in SCRATCH (vectors are never
shipped). `audit` audits each of them with the defaults and prints verdicts; with --write it writes kind, corpus, sizes
and the value of every finding to src/simgauge/auditing/reference.json. Seeds are fixed, so the same versions give the
same rows.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from pathlib import Path
from typing import Any

from simgauge import Embedding, audit
from simgauge.auditing.result import Audit

REFERENCE = Path(__file__).parents[1] / "src" / "simgauge" / "auditing" / "reference.json"

OBJECTIVES = {
    "svd": "svd", "als": "als", "bpr": "bpr", "lmf": "lmf", "words/glove": "glove", "words": "word2vec",
    "texts/minilm": "unit-sphere",
}  # fmt: skip
"""What the tables were trained with, by the beginning of kind/corpus; the others are "unknown"."""


def make(scratch: Path, kinds: list[str]) -> None:
    from reference_tables import KINDS

    for kind in kinds or list(KINDS):
        for corpus, maker in KINDS[kind].items():
            folder = scratch / kind / corpus
            if folder.exists():
                continue
            folder.parent.mkdir(parents=True, exist_ok=True)
            start = time.perf_counter()
            try:
                embedding = maker()
            except (ImportError, OSError) as error:
                print(f"{kind}/{corpus} is left out: {error}", file=sys.stderr)
                continue
            embedding.save(folder)
            print(f"{kind}/{corpus}: {embedding}, {time.perf_counter() - start:.0f} s", flush=True)


def audits(scratch: Path) -> list[tuple[str, str, Audit]]:
    found = []
    for folder in sorted(scratch.glob("*/*")):
        kind = folder.parent.name
        embedding = Embedding.load(folder)
        embedding = embedding.with_tables(embedding.items, embedding.users, objective="unknown")
        known = (value for start, value in OBJECTIVES.items() if f"{kind}/{folder.name}".startswith(start))
        objective = next(known, "unknown")
        found.append((kind, folder.name, audit(embedding, objective, k=min(10, embedding.n_items // 20))))
    return found


def row(kind: str, corpus: str, result: Audit) -> dict[str, Any]:
    """Facts of one table; values to four digits."""
    sizes = {name: result.embedding[name] for name in ("n_items", "n_users", "n_components")}
    values = {
        f.id: None if f.value is None else float(f"{f.value:.4g}") for f in result.findings if f.value is not None
    }
    return {"kind": kind, "corpus": corpus, **sizes, "values": values}


def report(results: list[tuple[str, str, Audit]]) -> None:
    for kind, corpus, result in results:
        bad = [f"{f.id}={f.value:.3g}!" for f in result.findings if f.verdict == "fail" and f.value is not None]
        odd = [f"{f.id}={f.value:.3g}" for f in result.findings if f.verdict == "warn" and f.value is not None]
        print(f"{kind:7} {corpus:22} {result.verdict:5} {' '.join(bad + odd)}")
    failed = sum(result.verdict == "fail" for *_, result in results)
    print(f"{failed} of {len(results)} tables fail ({failed / len(results):.0%})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["make", "audit"])
    parser.add_argument("scratch", type=Path)
    parser.add_argument("kinds", nargs="*")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.step == "make":
        make(arguments.scratch, arguments.kinds)
        return
    results = audits(arguments.scratch)
    report(results)
    if arguments.write:
        rows = [json.dumps(row(*result)) for result in results]
        REFERENCE.write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main()

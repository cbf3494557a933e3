"""Two examples of every command, and where a person begins."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "demo": ("simgauge demo", "simgauge demo --out my-report -k 5"),
    "fit": (
        "simgauge fit ratings.csv --out model",
        "simgauge fit events.parquet --user visitor --item page --like action=buy --out model",
    ),
    "audit": (
        "simgauge audit items.npy --users users.npy --objective bpr",
        "simgauge audit model --out report --fail-on fail",
    ),
    "fix": (
        "simgauge fix model --held-out later.csv --interactions train.csv --out fixed",
        "simgauge fix documents.npy --users queries.npy --qrels qrels.txt --out fixed",
    ),
    "evaluate": (
        "simgauge evaluate als=als.npy bpr=bpr.npy --ids ids.txt --held-out later.csv --interactions train.csv",
        "simgauge evaluate model --interactions events.csv --split user:0.2 --ask items,users,similar-users",
    ),
    "neighbors": (
        "simgauge neighbors model 'Toy Story (1995)' --compare",
        "simgauge neighbors items.npy 17 --metric dot -k 5",
    ),
    "compare": (
        "simgauge compare old-model new-model",
        "simgauge compare old.npy new.npy --fail-on different --min-overlap 0.5",
    ),
    "reproduce": (
        "simgauge reproduce",
        "simgauge reproduce --n-users 2000 --n-items 200 --n-seeds 1 --all",
    ),
    "export": (
        "simgauge export fixed --to duckdb:vectors.db",
        "simgauge export items.npy --to qdrant:http://localhost:6333 --table films",
    ),
    "check": (
        "simgauge check duckdb:vectors.db",
        "simgauge check faiss:vectors.faiss --expect cosine --fail-on warn",
    ),
    "gauge": (
        "simgauge gauge model --out projected",
        "simgauge gauge items.npy --users users.npy --center users --out projected",
    ),
    "apply": ("simgauge apply fixed new-items.npy --out moved", "simgauge apply fixed --as sql"),
    "align": (
        "simgauge align old-model new-model --out aligned",
        "simgauge align old.npy new.npy --old-ids old.txt --new-ids new.txt --method linear",
    ),
    "upgrade": (
        "simgauge upgrade old-documents.npy new-documents.npy --out map.safetensors",
        "simgauge upgrade old.npy new.npy --old-queries q-old.npy --new-queries q-new.npy",
    ),
    "stability": (
        "simgauge stability seed-1 seed-2 seed-3",
        "simgauge stability seed-1.npy seed-2.npy seed-3.npy --later next-1.npy --later next-2.npy",
    ),
    "preview": (
        "simgauge preview items.npy --dims 256,128",
        "simgauge preview model --dims 32 --precision float32,int8 --labels genres.csv",
    ),
    "calibrate": (
        "simgauge calibrate items.npy --pairs judged.csv",
        "simgauge calibrate model --pairs grades.csv --at-least 4 --out calibration.json",
    ),
    "mcp": ("simgauge mcp --root .", "simgauge mcp --root embeddings"),
}
"""Name of a command -> examples, as they are typed."""

GROUPS: dict[str, tuple[str, ...]] = {
    "Find out": ("demo", "audit", "evaluate", "neighbors", "compare", "stability", "reproduce"),
    "Make vectors": ("fit", "fix", "gauge", "apply", "align", "upgrade"),
    "Ship": ("preview", "calibrate", "export", "check", "mcp"),
}
"""Heading of the help -> commands."""

MORE = "More"
"""Heading of commands that are in no group."""

STARTS: tuple[tuple[str, str], ...] = (
    ("Nothing yet: see it on data that is shipped with simgauge", "simgauge demo"),
    ("Vectors, such as a file items.npy", "simgauge audit items.npy"),
    ("Vectors of two sides, such as documents and queries", "simgauge audit items.npy --users users.npy"),
    ("Interactions and no model yet", "simgauge fit ratings.csv --out model"),
    ("Evidence of what is similar, to choose better vectors by", "simgauge fix model --held-out later.csv --out fixed"),
    ("A vector store or an index file whose answers are in doubt", "simgauge check duckdb:vectors.db"),
)
"""What a person has or wants -> what to type first."""

SENTENCE = "Is the cosine similarity of your embeddings about similarity? Measure it, fix it, ship it."

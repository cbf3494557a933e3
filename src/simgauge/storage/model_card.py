"""The card beside a saved embedding: README.md with YAML front matter that says what the vectors are, for people and
hubs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from simgauge.storage.hashing import sha256_of_file
from simgauge.storage.manifest import BLANK, seal, unsealed_hash

CARD_FILE = "README.md"
MARKER = "simgauge_card"
"""Key of the front matter that holds the hash of the card: a card that a person has edited is that person's."""

KEPT_PROVENANCE = ("library", "model", "objective", "biases", "penalty", "l2", "gauge", "remedy")

UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]")
"""Characters that YAML does not take, or that turn the direction of text."""

BODY = """
# {title}

{rows} x {width} item vectors{users}, written by simgauge. Compare them by **{metric}**: {why}.

```python
import simgauge

embedding = simgauge.Embedding.load("this directory")
```

The front matter above says how they were made, on which evidence, and the SHA-256 of every file. `simgauge.json` holds
the same for programs. Edit this card as you like: an edited card is yours, and simgauge leaves it as it is.
"""

REASONS = {
    "cosine": "lengths of rows are not part of a similarity",
    "dot": "lengths of rows are part of a score",
}


def model_card(facts: Mapping[str, Any], folder: Path) -> bytes:
    """The card of the files in a folder, sealed with its own hash.

    Parameters
    ----------
    facts : mapping
        What the manifest of a saved embedding says.
    folder : Path
        Holds every other file already.
    """
    provenance = facts["provenance"]
    metric = metric_of(provenance)
    files = {path.name: sha256_of_file(path) for path in sorted(folder.iterdir()) if path.name != CARD_FILE}
    selection = provenance.get("selection")
    front = {
        MARKER: BLANK,
        "library_name": "simgauge",
        "tags": ["embeddings", "similarity"],
        "metric": metric,
        "n_items": facts["n_items"],
        "n_users": facts["n_users"],
        "n_components": facts["n_components"],
        "dtype": facts["dtype"],
        **{name: provenance.get(name) for name in KEPT_PROVENANCE},
        "evidence": _evidence(selection) if isinstance(selection, Mapping) else None,
        "map_sha256": files.get("map.safetensors"),
        "versions": {"simgauge": _own_version(), "numpy": version("numpy")},
        "files": files,
    }
    lines = [f"{name}: {yaml_value(value)}" for name, value in front.items()]
    users = f" and {facts['n_users']:,} user vectors" if facts["n_users"] else ""
    title = "Embedding of {:,} items".format(facts["n_items"])
    body = BODY.format(
        title=title, rows=f"{facts['n_items']:,}", width=facts["n_components"], users=users, metric=metric,
        why=REASONS[metric],
    )  # fmt: skip
    text = "\n".join(["---", *lines, "---"]) + "\n" + body
    return seal(text.encode(), text.encode().index(b"\n", 4))


def is_own_card(path: Path) -> bool:
    """Whether a file is a card as `model_card` wrote it, unchanged since."""
    try:
        raw = path.read_bytes()
    except OSError:
        return False
    found = re.match(rb"---\n" + MARKER.encode() + rb': "([0-9a-f]{64})"\n', raw)
    return found is not None and unsealed_hash(raw, found[1].decode(), found.end()) == found[1].decode()


def may_write_card(directory: Path) -> bool:
    """Whether the place of the card is free, or holds a card that nobody has changed."""
    path = directory / CARD_FILE
    return not (path.is_symlink() or path.exists()) or is_own_card(path)


def metric_of(provenance: Mapping[str, Any]) -> str:
    """Metric by which the vectors are to be compared: that of the remedy, else cosine."""
    remedy = provenance.get("remedy")
    return "dot" if isinstance(remedy, Mapping) and remedy.get("metric") == "dot" else "cosine"


def yaml_value(value: Any) -> str:
    """Plain JSON as one line of YAML; texts are quoted, numbers are numbers for every reader.

    Examples
    --------
    >>> yaml_value({"name": "a: b # c", "eps": 1e-05, "no": None})
    '{"name": "a: b # c", "eps": 1.0e-05, "no": null}'
    """
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{yaml_value(str(key))}: {yaml_value(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(yaml_value, value)) + "]"
    if isinstance(value, str):
        return UNPRINTABLE.sub(_escape, json.dumps(value, ensure_ascii=False))
    text = json.dumps(value, allow_nan=False)
    if isinstance(value, float) and "e" in text and "." not in text:  # 1e-05 is a text for readers of YAML 1.1
        return text.replace("e", ".0e")
    return text


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found.group()):04x}"


def _evidence(selection: Mapping[str, Any]) -> dict[str, Any]:
    confirmation = selection.get("confirmation") or {}
    return {
        "decision": selection.get("decision"),
        "summary": selection.get("summary"),
        "evidence": selection.get("evidence"),
        "gain": confirmation.get("gain") if isinstance(confirmation, Mapping) else None,
    }


def _own_version() -> str:
    from simgauge import __version__

    return __version__

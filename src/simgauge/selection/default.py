"""Without evidence: what the training objective suggests, called a default and not a finding."""

from __future__ import annotations

from typing import Any

from simgauge.auditing.objectives import OBJECTIVES, find_objective
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.selection.record import Selection

CALLED_SO = "This is a default, not a finding: there was no evidence. Pass some to learn what helps here."


def default_selection(embedding: Embedding, objective: str | None = None) -> Selection:
    """The gauge that is invariant and nearest to the data where training left the choice open."""
    from simgauge.remedies.canonical import CanonicalGauge
    from simgauge.remedies.leave_alone import LeaveAlone

    name, known = find_objective(objective) if objective is not None else _recorded(embedding)
    best: Any = LeaveAlone()
    if embedding.users is None:
        why = (
            "there is one table, and of one table no gauge but the whitened one can be told; pass a sample of the other "
            "side (users, queries, contexts) as users"
        )
    elif known.verdict == "identified":
        why = f"the objective {name!r} determines the cosine"
    else:
        best = CanonicalGauge(power=1.0, center="users")
        why = (
            f"with the objective {name!r} the cosine is {known.verdict}; correlations of the model's own predictions "
            "(projected back to the data space, users centred) do not depend on that choice"
        )
    try:
        best.fit(embedding)
    except InputError as error:
        best, why = LeaveAlone().fit(embedding), f"the invariant gauge does not exist here ({error})"
    advice = "Leave it alone" if isinstance(best, LeaveAlone) else f"Use {best.name}"
    settings = {"objective": name, "identifiability": known.verdict}
    return Selection("default", best, f"{advice}: {why}. {CALLED_SO}", settings=settings)


def _recorded(embedding: Embedding) -> Any:
    """The objective in the provenance, when simgauge knows it."""
    stated = str(embedding.provenance.get("objective", "unknown"))
    key = stated if stated.casefold() in OBJECTIVES else "unknown"
    return find_objective(key)

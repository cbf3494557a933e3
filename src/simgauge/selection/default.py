"""Without evidence: what the training objective suggests, called a default and not a finding."""

from __future__ import annotations

from typing import Any

from simgauge.auditing.training import Training, known_training
from simgauge.core.gauges.canonical import centered_sides
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.selection.record import Selection

CALLED_SO = "This is a default, not a finding: there was no evidence. Pass some to learn what helps here."


def default_selection(
    embedding: Embedding, objective: str | None = None, biases: str | None = None, penalty: str | None = None
) -> Selection:
    """The gauge that is invariant and nearest to the data where training left the choice open.

    Parameters
    ----------
    embedding : Embedding
    objective, biases, penalty : str, optional
        As in `simgauge.auditing.training.find_objective`; what the provenance records when not given.

    Returns
    -------
    Selection
        Projected back to the data space (α = 1), the users centred, and the items too where the objective leaves, or
        may leave, a shift of them open.

    Gauge
    -----
    The items' similarities are the same for every pair of tables that the loss cannot tell apart, shifts included.
    """
    from simgauge.remedies.canonical import CanonicalGauge
    from simgauge.remedies.leave_alone import LeaveAlone

    training = known_training(embedding.provenance, objective, biases, penalty)
    known = training.objective
    best: Any = LeaveAlone()
    if embedding.users is None:
        why = (
            "there is one table, and of one table no gauge but the whitened one can be told; pass a sample of the "
            "other "
            "side (users, queries, contexts) as users"
        )
    elif known.verdict == "identified":
        why = f"the objective {training.name!r} determines the cosine ({known.about})"
    else:
        best, why = CanonicalGauge(power=1.0, center=known.center), _why(training)
    try:
        best.fit(embedding)
    except InputError as error:
        best, why = LeaveAlone().fit(embedding), f"the invariant gauge does not exist here ({error})"
    advice = "Leave it alone" if isinstance(best, LeaveAlone) else f"Use {best.name}"
    settings = {"objective": training.name, "identifiability": known.verdict, "gauge_group": known.gauge_group}
    return Selection("default", best, f"{advice}: {why}. {CALLED_SO}", settings=settings)


def _why(training: Training) -> str:
    known = training.objective
    centred = " and ".join(sorted(centered_sides(known.center), reverse=True))
    what = f"similarities of the model's own predictions (projected back to the data space, {centred} centred)"
    if known.verdict == "unknown":
        return (
            f"nothing is known of the training, and {what} are the same in every gauge and after every shift that any "
            "loss of dot products leaves open"
        )
    return (
        f"with the objective {training.name!r} the cosine is {known.verdict}; {what} do not depend on that choice "
        f"(gauge group {known.gauge_group})"
    )

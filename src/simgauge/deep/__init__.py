"""Networks whose outputs stay while the embeddings inside change: at which places, and how their cosines move."""

from simgauge.deep.places import Carrier, FreePlace
from simgauge.deep.reading import Movement, Part, Reading
from simgauge.deep.rescaling import OutputsMovedError, Verification, rescaled, rescaled_everywhere, verify_outputs
from simgauge.deep.search import FreePlaces, find_free_places

__all__ = [
    "Carrier",
    "FreePlace",
    "FreePlaces",
    "Movement",
    "OutputsMovedError",
    "Part",
    "Reading",
    "Verification",
    "find_free_places",
    "rescaled",
    "rescaled_everywhere",
    "verify_outputs",
]

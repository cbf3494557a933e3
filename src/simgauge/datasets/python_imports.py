"""The shipped data: which names do Python source files use together?"""

from __future__ import annotations

from importlib import resources

import numpy as np
import pyarrow.parquet as pq
import scipy.sparse as sp

from simgauge.interactions import Interactions

FILE = "python_imports.parquet"


def load_demo_data() -> Interactions:
    """Source files of Python's standard library and of scientific packages (users) and the names they use (items).

    Facts only, built by ``scripts/build_demo_data.py``; names used in six files or more, files with two such names or
    more. Popularity follows a power law, and every Python programmer can judge the neighbours.

    Returns
    -------
    Interactions
        About 4,400 files x 1,400 names with 42,000 ones.

    Examples
    --------
    >>> data = load_demo_data()
    >>> "urllib.parse.quote" in data.item_ids
    True
    """
    with resources.files("simgauge.datasets").joinpath(FILE).open("rb") as file:
        table = pq.read_table(file)
    files, names = (table[column].combine_chunks() for column in ("file", "name"))
    rows, columns = (part.indices.to_numpy() for part in (files, names))
    shape = len(files.dictionary), len(names.dictionary)
    matrix = sp.csr_array((np.ones(len(rows)), (rows, columns)), shape=shape)
    labels = names.dictionary.to_pylist()
    return Interactions(
        matrix,
        user_ids=files.dictionary.to_pylist(),
        item_ids=labels,
        item_names=labels,
        report={
            "source": FILE,
            **{key.decode(): value.decode() for key, value in table.schema.metadata.items() if key != b"ARROW:schema"},
        },
    )

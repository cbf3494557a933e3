"""Parts of tables and matrices on a Dask cluster."""

"""Parts of tables and matrices on Spark."""

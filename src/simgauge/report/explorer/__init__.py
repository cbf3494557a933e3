"""The numbers that travel with a page, so that its gauge can be moved without a library at hand."""

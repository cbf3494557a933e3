"""Sources of data: files, frames and databases, recognised by their content."""

"""Answers for programs that ask over a protocol: read-only, and below one directory."""

"""Vector stores and files that vectors are shipped to: one module a target, thin over its official client."""

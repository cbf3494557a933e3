"""The places of the tests of stores, here too."""

from stores.conftest import database, place, postgres_server  # noqa: F401

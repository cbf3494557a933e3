"""Events of users and items, from table rows to pairs."""

from tests.browsers import anonymous, client, htmx, stranger

__all__ = ["anonymous", "client", "htmx", "stranger"]

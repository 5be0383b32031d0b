"""Names of the protocol as a reader of prose meets them."""

__all__ = ["in_words"]


def in_words(name: str | None) -> str:
    """A name with spaces for its underscores.

    >>> in_words("left_employer")
    'left employer'
    """
    return str(name).replace("_", " ")

"""Storing what must not be lost, however long the database cannot be written to."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connection

from equipoise.platform.database import writing

__all__ = ["renew_connection", "until_stored"]

_log = logging.getLogger("equipoise.delivery")
_AGAIN_SECONDS = 0.5
_AT_THE_END_SECONDS = 30.0

Result = TypeVar("Result")


def renew_connection() -> None:
    """Drop a connection that the database has closed; the next statement opens another."""
    if not connection.in_atomic_block:
        close_old_connections()


def until_stored(do: Callable[[], Result], stop: Callable[[], bool]) -> Result:
    """Do something in a transaction, again and again while the database is locked, full or away.

    Args:
        do: may be done twice: a commit whose outcome is not known is tried again.
        stop: whether the process is to end; then it is tried for half a minute more.
    Raises:
        OperationalError: it is to end, and nothing could be stored.
    """
    ending: float | None = None
    told = False
    while True:
        try:
            with writing():
                return do()
        except (OperationalError, InterfaceError):
            if not told:
                _log.warning("the database cannot be written to; what was sent is stored when it can be")
                told = True
            if stop():
                ending = ending or time.monotonic() + _AT_THE_END_SECONDS
                if time.monotonic() > ending:
                    raise
        renew_connection()
        time.sleep(_AGAIN_SECONDS)

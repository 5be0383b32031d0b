"""Logs that hold no secret and no line that somebody else wrote."""

import logging
import re
import sys
from typing import Any

__all__ = ["NoSecrets", "OneLine", "StandardError"]

# The tokens of links are the only secrets that stand in an address.
_TOKEN = re.compile(r"(/(?:s|m|open|stop|stop/one-click|mine|password/set)/)[a-z0-9-]{16,}", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]")


class StandardError(logging.StreamHandler[Any]):
    """Writes to standard error as it is at the moment; a line that cannot be written is lost.

    Python would else tell what was lost, values and traceback included, on the same standard error.
    """

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        """Where a line goes."""
        return sys.stderr

    def handleError(self, record: logging.LogRecord) -> None:
        """Nothing is told of it."""


class NoSecrets(logging.Filter):
    """Takes tokens out of addresses, and the text of requests out of records."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _TOKEN.sub(r"\1-", record.getMessage())
        record.args = ()
        record.__dict__.pop("request", None)
        return True


class OneLine(logging.Formatter):
    """A line a record: time, level, logger and message; what went wrong is named without its values."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """A line; what another handler has kept of the exception's text is not taken over."""
        record.exc_text = None
        return super().format(record)

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = _CONTROL.sub(" ", record.message)
        return super().formatMessage(record)

    def formatException(self, ei: Any) -> str:
        """Where it went wrong, without the message of the exception, which may hold what somebody typed."""
        kind, _, trace = ei
        places = []
        while trace is not None:
            code = trace.tb_frame.f_code
            places.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
            trace = trace.tb_next
        return f"{kind.__name__} at " + " < ".join(reversed(places[-8:]))

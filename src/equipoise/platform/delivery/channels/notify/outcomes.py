"""What became of a message, by how Notify answered.

sent       taken, with Notify's id
later      not taken, for a reason that is not the message's: a limit, the key, a clock, no way there.
           All messages of the carrier wait, and the attempt does not count.
refused    not taken, for the message's own sake: its address, its length
unknown    5xx, an answer that is not Notify's, or none: it may have been taken
"""

import zlib
from collections.abc import Callable
from datetime import datetime, time, timedelta

from equipoise.platform.delivery.channels.contract import Outcome
from equipoise.platform.delivery.channels.notify.client import Answer, NoAnswer, NotReached

__all__ = ["outcome_of"]

_TOO_MANY = 429
_RATE_SECONDS = 5.0
_TROUBLE_SECONDS = 60.0  # one message a minute finds out whether Notify is well again, not all of them
_PERSON_SECONDS = 300.0  # until a person has put it right
_JITTER_SECONDS = 600
# Faults of the set-up, by words of Notify's message: all others would be refused as well.
_SET_UP = (
    ("team-only", "team-key"),
    ("trial mode", "trial-mode"),
    ("template", "template"),
    ("personalisation", "template"),
    ("sms_sender", "sms-sender"),
)


def outcome_of(error: Exception, reference: str, clock: Callable[[], datetime]) -> Outcome:
    """What became of a message that was not plainly taken.

    Args:
        error: what the client raised.
        reference: of the message; spreads those that wait for tomorrow.
        clock: tells the moment in UTC, where that matters.
    """
    if isinstance(error, NotReached):
        return _wait(error.why, _TROUBLE_SECONDS)
    if isinstance(error, NoAnswer):
        return Outcome("unknown", "no-answer", pause_seconds=_TROUBLE_SECONDS)
    if isinstance(error, Answer):
        return _by_status(error, reference, clock)
    raise error


def _by_status(answer: Answer, reference: str, clock: Callable[[], datetime]) -> Outcome:
    code = f"http-{answer.status}"
    if answer.status < 300:
        return Outcome("unknown", "bad-answer", pause_seconds=_TROUBLE_SECONDS)
    if answer.status >= 500 or answer.status == 408:
        return Outcome("unknown", code, pause_seconds=_TROUBLE_SECONDS)
    if answer.status == _TOO_MANY:
        return _limited(answer, reference, clock)
    if answer.status in (401, 403):
        return _wait(_who(answer), _PERSON_SECONDS)
    if answer.status in (400, 413):
        return _bad_request(answer, code)
    return _wait(code, _PERSON_SECONDS)  # a redirection, or not Notify's address


def _limited(answer: Answer, reference: str, clock: Callable[[], datetime]) -> Outcome:
    """Two limits have one status: so many a minute, and so many a day until midnight."""
    if answer.error == "TooManyRequestsError":
        moment = clock()
        midnight = datetime.combine(moment.date() + timedelta(days=1), time(), moment.tzinfo)
        spread = zlib.crc32(reference.encode()) % _JITTER_SECONDS
        return _wait("daily-limit", (midnight - moment).total_seconds() + spread)
    return _wait("rate-limit", _RATE_SECONDS if answer.error else _TROUBLE_SECONDS)


def _who(answer: Answer) -> str:
    """Why Notify does not believe that it is us; a wrong clock makes every token old or early."""
    if "clock" in answer.message.lower():
        return "clock"
    return "key" if answer.error else f"http-{answer.status}"


def _bad_request(answer: Answer, code: str) -> Outcome:
    said = answer.message.lower()
    if said.startswith(("email_address", "phone_number")):
        return Outcome("refused", "address", closes_address=True)
    for words, cause in _SET_UP:
        if words in said and "character count" not in said:
            return _wait(cause, _PERSON_SECONDS)
    return Outcome("refused", "too-long" if "character count" in said else code)


def _wait(code: str, seconds: float) -> Outcome:
    return Outcome("later", code, burnt=False, pause_seconds=seconds)

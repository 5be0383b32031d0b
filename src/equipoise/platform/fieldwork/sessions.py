"""The questions about sessions that every page asks."""

from typing import Any

from equipoise.platform.fieldwork.models import Session, Submission
from equipoise.platform.kept import KeptQuery

__all__ = ["PAGES_OF_SESSION", "SESSION_BY_CODE", "SESSION_OF_WAVE", "STATE_OF_SESSION"]

SESSION_BY_CODE: KeptQuery[Session] = KeptQuery(
    lambda code: Session.objects.select_related("participant__study").filter(code=code), "code"
)
SESSION_OF_WAVE: KeptQuery[Session] = KeptQuery(
    lambda participant, wave: Session.objects.filter(participant_id=participant, wave=wave), -1, "wave"
)
# The state of a session and of its participant, the session's row held until the transaction ends.
STATE_OF_SESSION: KeptQuery[tuple[str, str]] = KeptQuery(
    lambda session: (
        Session.objects.select_for_update(of=("self",))
        .filter(pk=session)
        .values_list("state", "participant__state")
    ),
    -1,
)
# Page, answers and what was seen, in the order in which they were sent.
PAGES_OF_SESSION: KeptQuery[tuple[str, dict[str, Any], dict[str, Any]]] = KeptQuery(
    lambda session: (
        Submission.objects.filter(session_id=session).order_by("pk").values_list("page", "answers", "shown")
    ),
    -1,
)

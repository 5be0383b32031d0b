"""A workspace in which somebody has answered."""

import pytest

from equipoise.platform.clock import now
from equipoise.platform.fieldwork.models import Session, Submission
from equipoise.platform.people.models import Participant


@pytest.fixture
def answered(swing):
    """A function that adds a participant with a session and so many pages."""

    def add(pages=3, text="a canary"):
        participant = Participant.objects.create(study=swing, enrolled_at=now())
        session = Session.objects.create(
            participant=participant,
            study=swing,
            wave="before",
            code=participant.key[:10],
            language="en-GB",
            version=1,
            wording="w",
            order={},
            started_at=now(),
        )
        for page in range(pages):
            Submission.objects.create(
                session=session,
                key=f"{page:032}",
                page=f"page-{page}",
                answers={"comment": text, "score": 1.5 + page, "zahl": page},
                shown={"order": {"items": ["b", "a"]}, "language": "en-GB"},
                at=now(),
            )
        return participant

    return add

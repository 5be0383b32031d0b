"""A simulated trial in the platform's own tables, as if everybody had been enrolled, drawn and had answered."""

from datetime import UTC, datetime, timedelta

import pytest

from equipoise.diagnosis import simulate_study
from equipoise.platform.database import writing
from equipoise.platform.fieldwork.models import Session, Submission
from equipoise.platform.fieldwork.prepared import prepared
from equipoise.platform.people.models import Allocation, Participant, RosterFacts
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.presentation import presentation

OPENED = {"before": datetime(2021, 2, 10, 9, tzinfo=UTC), "after": datetime(2021, 5, 1, 9, tzinfo=UTC)}


class Trial:
    """A study of the workspace beside the simulated data from which it was filled."""

    def __init__(self, study, simulated):
        self.study, self.data = study, simulated.data if simulated else None
        self.people, self.moment = {}, OPENED["before"]

    def enrol(self):
        """Everybody of the simulation, under their simulated identifier as key, with their arm."""
        stage = self.study.stages.get()
        rows = self.data.participants.rows(named=True)
        made = Participant.objects.bulk_create(
            Participant(
                study=self.study,
                key=row["staff_ref"],
                enrolled_at=datetime(2021, 1, 5, tzinfo=UTC),
                messages_stopped_at=OPENED["after"] if row["opted_out"] else None,
            )
            for row in rows
        )
        self.people = {person.key: person for person in made}
        facts = [
            {"cohort": row["cohort"], "region": row["region"], "started_on": row["started_on"].isoformat()}
            for row in rows
        ]
        RosterFacts.objects.bulk_create(
            RosterFacts(participant=person, values=known) for person, known in zip(made, facts, strict=True)
        )
        Allocation.objects.bulk_create(
            Allocation(stage=stage, participant=person, arm=row["arm"], at=OPENED["before"],
                       stratum=f"{row['cohort']},{row['region']}")
            for person, row in zip(made, rows, strict=True)
        )  # fmt: skip
        self.study.stages.update(state="drawn")

    def answer(self, wave):
        """The simulated answers of a wave, a page at a time."""
        asked = prepared(self.study, wave, None).questionnaire
        ended = {"state": "complete", "ended_at": OPENED[wave] + timedelta(minutes=6)}
        rows = self.data.answers[wave].rows(named=True)
        sessions = Session.objects.bulk_create(
            self._begun(self.people[row["staff_ref"]], wave, **ended) for row in rows
        )
        Submission.objects.bulk_create(
            _sent(session, number, page.id, _answers(page, row))
            for session, row in zip(sessions, rows, strict=True)
            for number, page in enumerate(asked.pages)
        )

    def unanswered(self, wave):
        """Those who did not answer a wave."""
        rows = self.data.participants.filter(self.data.participants[f"answered_{wave}"].is_null())
        return [self.people[key] for key in rows["staff_ref"]]

    def session(self, person, wave, **given):
        """A session that has begun."""
        session = self._begun(person, wave, **given)
        session.save()
        return session

    def _begun(self, person, wave, **given):
        asked = prepared(self.study, wave, None).questionnaire
        return Session(
            participant=person,
            study=self.study,
            partner=person.partner,
            wave=wave,
            code=f"{person.key}{wave[0]}"[-12:],
            language="en-GB",
            version=self.study.version,
            wording=asked.wording_version,
            order=presentation(asked, b"\1" * 32, person.key).as_json(),
            started_at=OPENED[wave],
            **given,
        )

    def send(self, session, page, answers, *, seconds=12.5, partial=False):
        """One page as it was sent."""
        _sent(session, Submission.objects.count(), page, answers, seconds=seconds, partial=partial).save()


def _sent(session, number, page, answers, *, seconds=12.5, partial=False):
    return Submission(
        session=session,
        key=f"{session.pk}-{number}",
        page=page,
        answers=answers,
        shown={"language": "en-GB", **({"partial": True} if partial else {})},
        seconds=seconds,
        at=OPENED[session.wave] + timedelta(minutes=5),
    )


def _answers(page, row):
    """What somebody said on a page, as JSON has it; what they left empty is not there."""
    names = [name for asked in page.asked for name in asked.columns]
    said = {name: row[name] for name in names if row.get(name) is not None}
    return {name: int(value) if isinstance(value, float) else value for name, value in said.items()}


@pytest.fixture
def trial_of():
    """A function that gives a study its ways to fill it, without anybody in it."""
    return lambda study: Trial(study, None)


@pytest.fixture
def trial(swing):
    """So many simulated people of `swing`, their arms and what they answered in both waves."""
    found = Trial(swing, simulate_study(folder_of(swing), 11, people=160))
    with writing():
        found.enrol()
        for wave in ("before", "after"):
            found.answer(wave)
    return found


@pytest.fixture
def unmasked(trial):
    """The same with its results unmasked."""
    trial.study.results = "unmasked"
    trial.study.save()
    return trial

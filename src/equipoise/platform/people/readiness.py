"""What people and lots add to a study's checklist before its launch."""

from collections.abc import Iterator

from equipoise.errors import Problem
from equipoise.platform.people.allocation import allocation_ready
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, rolling, stages
from equipoise.platform.registry.readiness import Condition, adds_conditions

__all__ = ["people_conditions"]


@adds_conditions
def people_conditions(study: Study) -> Iterator[Condition]:
    """The roster, the team's secret, and with rolling enrolment that everybody who comes gets an arm."""
    participants = folder_of(study).protocol.participants
    if participants is not None and participants.enrolment == "roster":
        lacking = None
        if not Participant.objects.filter(study=study, state="enrolled").exists():
            lacking = Problem(study.name, "people", "nobody is enrolled yet; import the roster")
        yield Condition("roster", "People are enrolled", lacking, needed=False)
    drawn = stages(study)
    if not drawn:
        return
    without = [stage.name for stage in drawn if not stage.secret and stage.state != "drawn"]
    lacking = None
    if without:
        message = f"the secret has not been handed in for stage {', '.join(without)}; the draw needs it"
        lacking = Problem(study.name, "secret", message)
    yield Condition("secret", "The team's secret is in keeping", lacking, needed=False)
    if rolling(study):
        yield Condition("arrivals", "Everybody who comes gets an arm", allocation_ready(study))

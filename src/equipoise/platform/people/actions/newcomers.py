"""People who come by an open link: counted from their first page on, enrolled once they turn out to be
eligible."""

from collections.abc import Mapping
from typing import Any

from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.people.allocation import allocate_arrival
from equipoise.platform.people.models import Participant, RosterFacts
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, partners, roster_columns
from equipoise.protocol.expressions import compile_expression
from equipoise.protocol.facts import roster_schema

__all__ = ["begin_arrival", "complete_arrival", "facts_awaited", "turn_away"]


def begin_arrival(study: Study) -> Participant:
    """Somebody who has come by an open link and not yet answered anything."""
    with_us = partners(study)
    partner = with_us[0] if len(with_us) == 1 else None  # of several, nobody has said which
    with writing():
        return Participant.objects.create(
            study=study, partner=partner, state="screening", source="open-link", enrolled_at=now()
        )


def facts_awaited(study: Study) -> frozenset[str]:
    """The roster's columns that an arrival answers for themselves: all but the identifier and contacts."""
    return frozenset(name for name, column in roster_columns(study).items() if column.role == "attribute")


def complete_arrival(participant: Participant, answers: Mapping[str, Any]) -> bool:
    """Enrol an arrival who has answered the screening, and allocate them at once where the study does.

    Args:
        participant: in the state `screening`.
        answers: by column, those that bear the name of a roster column among them.
    Returns:
        Whether they are eligible; whoever is not, or cannot be told to be, stays out and is counted.
    """
    study = participant.study
    with writing():
        facts = _facts(study, answers)
        RosterFacts.objects.update_or_create(participant=participant, defaults={"values": facts})
        eligible = _eligible(study, facts)
        participant.state = "enrolled" if eligible else "ineligible"
        participant.enrolled_at = now()
        participant.save(update_fields=["state", "enrolled_at"])
        record(study.name, f"participant:{participant.key}", "people.arrive", {"eligible": eligible})
        if eligible:
            allocate_arrival(participant)
    return eligible


def turn_away(participant: Participant) -> None:
    """Count an arrival whom the survey has screened out; whoever is enrolled already stays so."""
    with writing():
        turned = Participant.objects.filter(pk=participant.pk, state="screening").update(state="ineligible")
        if turned:
            study = participant.study.name
            record(study, f"participant:{participant.key}", "people.arrive", {"eligible": False})


def _facts(study: Study, answers: Mapping[str, Any]) -> dict[str, Any]:
    """What was answered, as the roster would write it."""
    found: dict[str, Any] = {}
    for name, column in roster_columns(study).items():
        value = answers.get(name)
        if column.role != "attribute" or value is None:
            continue
        if column.type == "yes-no":
            found[name] = value == "yes"
        elif column.type == "category":
            found[name] = _level(str(value), column.levels or ())
        else:
            found[name] = value
    return found


def _level(code: str, levels: tuple[str, ...]) -> str:
    """The level that a code stands for: `social_worker` is the level "Social worker"."""
    alike = {level.lower().replace(" ", "_").replace("-", "_"): level for level in levels}
    return code if code in levels else alike.get(code, code)


def _eligible(study: Study, facts: Mapping[str, Any]) -> bool:
    protocol = folder_of(study).protocol
    text = protocol.participants.eligible if protocol.participants else None
    if text is None:
        return True
    return compile_expression(text, roster_schema(protocol), expects="bool").evaluate([facts])[0] is True

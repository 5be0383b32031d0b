"""Bringing a study's people up to date with a newer roster, after enrolment as well."""

from pathlib import Path

from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.people.comparison import Change, Comparison, compare
from equipoise.platform.people.contacts import lookups_of, sealed_contact, wrapping_keys
from equipoise.platform.people.enrolling import enrol, in_batches
from equipoise.platform.people.models import ContactDetails, Lookup, Participant, RosterFacts, RosterImport
from equipoise.platform.people.partners import only_partner
from equipoise.platform.people.reading import RosterSource, chosen_partner, read_for
from equipoise.platform.permissions import EVERYBODY, Acting, Reach, check_permission
from equipoise.platform.permissions import reach as reach_of
from equipoise.platform.policies import check_state
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import partners, rolling
from equipoise.roster import Mapping

__all__ = ["look_at_update", "update_from", "update_roster"]


def look_at_update(
    study: Study, source: RosterSource, *, whole: bool = False, reach: Reach = EVERYBODY
) -> Comparison:
    """What an update would change, in numbers and by line; nothing is stored.

    Args:
        study: of this workspace.
        source: the newer roster.
        whole: it lists everybody of its partners, so whoever is not in it has left.
        reach: whose people it could change.
    Raises:
        InputError: as for `preview_import`.
        CheckFailedError: contact details cannot be read, so they cannot be compared.
    """
    return compare(study, read_for(study, source), whole=whole, reach=reach)


def update_roster(
    who: Acting,
    study: Study,
    path: Path,
    mapping: Mapping | None = None,
    constants: dict[str, str] | None = None,
    partner: str | None = None,
    good_rows_only: bool = False,
    *,
    whole: bool = False,
) -> RosterImport:
    """Bring participants up to date, by identifier: contacts, attributes, partners, who left and came back.

    What a committed stage is drawn by stays as it was. Somebody new is enrolled while enrolment is open, and
    otherwise only counted; whoever left the study stays out.

    Args:
        who: needs `people.update`.
        study: not yet published.
        path: as for `preview_import`, like the rest.
        mapping: declared column to the file's.
        constants: declared columns that are the same for everybody.
        partner: whose people they are.
        good_rows_only: leave refused rows out.
        whole: the file lists everybody of its partners, so whoever is not in it has left.
    Raises:
        InputError: what `Comparison.refusals` says, or what `preview_import` raises.
        CheckFailedError: contact details cannot be read.
    """
    source = RosterSource(path, mapping, constants or {}, partner, good_rows_only)
    return update_from(who, study, source, whole=whole)


def update_from(
    who: Acting,
    study: Study,
    source: RosterSource,
    *,
    whole: bool = False,
    expected: dict[str, int] | None = None,
) -> RosterImport:
    """`update_roster` from a source.

    Args:
        who: needs `people.update`, of the source's partner where it has one; others' people stay as they are.
        study: not yet published.
        source: the newer roster.
        whole: as for `update_roster`.
        expected: counts that were shown; if one is another by now, nothing is stored.
    """
    check_permission(who, "people.update", study, chosen_partner(study, source))
    check_state("people.update", study.state, of=study.name)
    read = read_for(study, source)
    with writing():
        held = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        check_state("people.update", held.state, of=held.name)
        # Whoever leaves the study meanwhile waits, so that nobody who has left gets contact details again.
        list(Participant.objects.select_for_update(no_key=True).filter(study=held).values_list("pk"))
        found = compare(held, read, whole=whole, reach=reach_of(who, "people.update", held))
        if refusals := found.refusals():
            raise InputError(refusals)
        if any(found.counts.get(name) != number for name, number in (expected or {}).items()):
            raise InputError(
                Problem(source.path.name, "", "people have changed since you looked; look again")
            )
        return _store(who, held, found)


def _store(who: Acting, study: Study, found: Comparison) -> RosterImport:
    read, moment = found.preview.read, now()
    imported = RosterImport.objects.create(
        study=study,
        partner=only_partner(study, read.partners),
        kind="update",
        file_hash=read.file_hash,
        at=moment,
        actor=who.actor,
        counts=found.counts,
    )
    for some in in_batches(change for change in found.changes if change.alters):
        _store_changes(study, some)
    source = "rolling" if rolling(study) else "roster"
    enrol(study, found.preview.newcomers, at=moment, source=source, imported=imported)
    details = {"import": imported.pk, "file_hash": read.file_hash, "counts": found.counts}
    record(study.name, who.actor, "people.update", details)
    return imported


def _store_changes(study: Study, changes: list[Change]) -> None:
    known = {partner.name: partner for partner in partners(study)}
    moment, keys = now(), wrapping_keys()
    facts = []
    for change in changes:
        person = change.participant
        if change.moved_to is not None:
            person.partner = known[change.moved_to]
        if change.left is not None:
            person.left_at = moment if change.left else None
        if change.facts is not None:
            person.facts.values = change.facts
            facts.append(person.facts)
    met = [(change.participant, change.contact) for change in changes if change.contact is not None]
    people = [person for person, _ in met]
    ContactDetails.objects.filter(participant__in=people).delete()
    Lookup.objects.filter(participant__in=people, identifies=False).delete()
    ContactDetails.objects.bulk_create(sealed_contact(person, details, keys) for person, details in met)
    Lookup.objects.bulk_create(
        each for person, details in met for each in lookups_of(person, details) if not each.identifies
    )
    RosterFacts.objects.bulk_update(facts, ["values"])
    altered = [change.participant for change in changes if change.moved_to or change.left is not None]
    Participant.objects.bulk_update(altered, ["partner", "left_at"])
    _move_along([change.participant for change in changes if change.moved_to])


def _move_along(people: list[Participant]) -> None:
    """What other apps keep of people who have moved, and by which partner, goes with them."""
    by_partner: dict[int, list[Participant]] = {}
    for person in people:
        by_partner.setdefault(person.partner_id, []).append(person)
    for relation in Participant._meta.related_objects:
        model = relation.related_model
        if any(field.name == "partner" for field in model._meta.fields):
            for partner, some in by_partner.items():
                rows = model.objects.filter(**{f"{relation.field.name}__in": some})
                rows.update(partner_id=partner)

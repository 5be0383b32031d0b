"""Where a role can hold: in the workspace, a programme, a study, or for the people of one of its partners."""

from collections.abc import Iterable

from equipoise.errors import InputError, Problem, nearest
from equipoise.platform.registry.models import Partner, Programme, Study
from equipoise.platform.registry.queries import partners, study_named
from equipoise.platform.staff.actions import Place
from equipoise.platform.staff.queries import Held

__all__ = ["partner_named", "place_named", "place_words", "places_of"]


def place_named(
    *, study: str | None = None, partner: str | None = None, programme: str | None = None
) -> Place:
    """The place of these names; the workspace where none is given.

    Raises:
        InputError: there is none of such a name, a partner without its study, or a study and a programme.
    """
    if study is not None and programme is not None:
        raise InputError(Problem("", "programme", "name a study or a programme, not both"))
    if partner is not None and study is None:
        raise InputError(Problem("", "partner", "name the study too; a partner is one of a study's"))
    if programme is not None:
        return Place(programme=_programme(programme))
    if study is None:
        return Place()
    found = study_named(study)
    return Place(found, None if partner is None else partner_named(found, partner))


def place_words(place: Place) -> str:
    """A place in words, as they follow the name of a role."""
    if place.programme is not None:
        return f"of the programme {place.programme.name}"
    if place.study is None:
        return "of the workspace"
    return f"of {place.study.name}" + (f" for {place.partner.name}" if place.partner is not None else "")


def partner_named(study: Study, name: str) -> Partner:
    """The partner of this name.

    Raises:
        InputError: the study has no such partner; names those that it has.
    """
    known = {partner.name: partner for partner in partners(study)}
    if name not in known:
        listed = nearest(name, list(known))
        raise InputError(Problem(study.name, "partner", f'"{name}" is not a partner. Partners: {listed}'))
    return known[name]


def places_of(held: Iterable[Held]) -> list[Place]:
    """The place of each role that is held, in three queries however many they are."""
    rows = list(held)
    studies = Study.objects.in_bulk({each.study_id for each in rows if each.study_id})
    of_studies = Partner.objects.in_bulk({each.partner_id for each in rows if each.partner_id})
    programmes = Programme.objects.in_bulk({each.programme_id for each in rows if each.programme_id})
    return [
        Place(
            studies.get(each.study_id or 0),
            of_studies.get(each.partner_id or 0),
            programmes.get(each.programme_id or 0),
        )
        for each in rows
    ]


def _programme(name: str) -> Programme:
    known = {each.name: each for each in Programme.objects.order_by("name")}
    if name not in known:
        listed = nearest(name, list(known))
        raise InputError(Problem("", "programme", f'"{name}" is not a programme. Programmes: {listed}'))
    return known[name]

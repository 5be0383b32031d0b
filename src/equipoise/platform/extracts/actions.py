"""Importing an HR extract: all of it or nothing, as a new version where there was one before."""

from collections.abc import Mapping

from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.extracts.linking import Linkage, digests_of, linked
from equipoise.platform.extracts.models import Extract, ExtractValue
from equipoise.platform.extracts.reading import ExtractFile, read_extract
from equipoise.platform.extracts.scopes import Scope
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import check_results_state, check_state
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.places import partner_named

__all__ = ["check_importing", "import_extract", "look_at_extract"]

VERB = "extracts.import"
_AT_ONCE = 5_000


def check_importing(who: Acting, study: Study) -> None:
    """Stop whoever may not import, and what comes once the data no longer change.

    Raises:
        NotAllowedError: their role does not allow it.
        InputError: the study's state does not allow it, or the results are sealed.
    """
    check_permission(who, VERB, study)
    check_state(VERB, study.state, of=study.name)
    check_results_state(VERB, study.results, of=study.name)


def look_at_extract(study: Study, scope: Scope, file: ExtractFile) -> Linkage:
    """What an import would keep, in numbers and by line; nothing is stored.

    Raises:
        InputError: what `read_extract` raises.
    """
    read = read_extract(study, scope, file)
    return linked(study, read, digests_of(study, read))


def import_extract(
    who: Acting,
    study: Study,
    scope: Scope,
    file: ExtractFile,
    *,
    reason: str = "",
    expected: Mapping[str, int] | None = None,
) -> Extract:
    """Keep the values of everybody in a file who may be linked.

    Args:
        who: needs `extracts.import`.
        study: not yet published, its results not yet sealed.
        scope: what the file is.
        file: and how it is to be read.
        reason: why it takes the place of an earlier file; asked for where there is one.
        expected: the counts that were shown; if they are others by now, nothing is stored.
    Raises:
        NotAllowedError: their role does not allow it.
        InputError: what `check_importing`, `read_extract` and `Linkage.refusals` say; or no reason.
    """
    check_importing(who, study)
    read = read_extract(study, scope, file)
    digests = digests_of(study, read)
    with writing():
        held = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        check_importing(who, held)
        found = linked(held, read, digests)
        if refusals := found.refusals():
            raise InputError(refusals)
        if found.current is not None and not reason.strip():
            message = "say why this file takes the place of the earlier one, without naming anybody"
            raise InputError(Problem(study.name, "reason", message))
        if expected is not None and dict(found.counts) != dict(expected):
            message = "people have changed since you looked; look again"
            raise InputError(Problem(file.path.name, "", message))
        return _store(who, held, found, reason.strip() if found.current is not None else "")


def _store(who: Acting, study: Study, found: Linkage, reason: str) -> Extract:
    scope = found.read.scope
    extract = Extract.objects.create(
        study=study,
        source=scope.source,
        window=scope.window,
        partner=partner_named(study, scope.partner) if scope.partner else None,
        number=1 if found.current is None else found.current.number + 1,
        file_hash=found.read.file_hash,
        at=now(),
        actor=who.actor,
        counts=dict(found.counts),
        reason=reason,
    )
    for some in found.values.iter_slices(_AT_ONCE):
        ExtractValue.objects.bulk_create(
            ExtractValue(extract=extract, participant_id=row.pop("participant"), values=row)
            for row in some.to_dicts()
        )
    details = {
        "extract": extract.pk,
        "source": scope.source,
        "window": scope.window,
        "partner": scope.partner,
        "version": extract.number,
        "file_hash": extract.file_hash,
        "counts": extract.counts,
    }
    record(study.name, who.actor, VERB, {**details, "reason": reason} if reason else details)
    return extract

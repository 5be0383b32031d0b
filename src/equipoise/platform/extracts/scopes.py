"""What a file can be: the sources, windows and partners of which extracts come."""

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from equipoise.errors import InputError, Problem, nearest
from equipoise.platform.clock import now
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.places import partner_named
from equipoise.platform.registry.queries import folder_of, partners
from equipoise.protocol.extracts import days_of, extract_of, extracts

__all__ = ["Scope", "check_scope", "covered_partners", "scopes"]


@dataclass(frozen=True)
class Scope:
    """Of which source and window a file is, and whose people it holds; None is everybody of the source."""

    source: str
    window: str
    partner: str | None = None


def scopes(study: Study) -> Iterator[Scope]:
    """Every source and window of which extracts can come."""
    protocol = folder_of(study).protocol
    for source in extracts(protocol):
        yield from (Scope(source, window) for window in extract_of(protocol, source).windows)


def check_scope(study: Study, scope: Scope) -> None:
    """Stop a file that the protocol does not ask for, or that comes before its window is over.

    Raises:
        InputError: says what there is.
    """
    protocol = folder_of(study).protocol
    declared = extracts(protocol)
    if scope.source not in declared:
        listed = nearest(scope.source, list(declared))
        message = f'"{scope.source}" is not an HR extract of this study. Extracts: {listed}'
        raise InputError(Problem(study.name, "source", message))
    windows = extract_of(protocol, scope.source).windows
    if scope.window not in windows:
        listed = nearest(scope.window, list(windows))
        message = f'"{scope.window}" is not a window of {scope.source}. Windows: {listed}'
        raise InputError(Problem(study.name, "window", message))
    if scope.partner is not None:
        _check_partner(study, scope.partner, declared[scope.source].partners)
    last = days_of(protocol, scope.source, scope.window).last
    if now().astimezone(ZoneInfo(protocol.study.timezone)).date() <= last:
        message = f"the window lasts until {last}; a file from before its end would be cut short"
        raise InputError(Problem(study.name, "window", message))


def covered_partners(study: Study, scope: Scope) -> frozenset[int] | None:
    """The partners whose people a file covers; None where it covers everybody, those of no partner too."""
    named = [scope.partner] if scope.partner else folder_of(study).protocol.sources[scope.source].partners
    if not named:
        return None
    return frozenset(partner.pk for partner in partners(study) if partner.name in named)


def _check_partner(study: Study, partner: str, allowed: tuple[str, ...]) -> None:
    partner_named(study, partner)
    if allowed and partner not in allowed:
        message = f'"{partner}" does not send this extract. Partners: {nearest(partner, list(allowed))}'
        raise InputError(Problem(study.name, "partner", message))

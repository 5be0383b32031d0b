"""Extracts as pages call them: by what they are and by the days that they cover."""

from equipoise.platform.extracts.scopes import Scope
from equipoise.platform.pages.filters import day
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.extracts import days_of, extract_of, extracts

__all__ = ["days_words", "scope_words", "source_words"]


def source_words(study: Study, source: str) -> str:
    """What a source is called; its name where the protocol in force no longer has it."""
    known = folder_of(study).protocol.sources
    return (known[source].label if source in known else None) or source


def days_words(study: Study, scope: Scope) -> str:
    """The days of a window."""
    protocol = folder_of(study).protocol
    known = scope.source in extracts(protocol) and scope.window in extract_of(protocol, scope.source).windows
    if not known:
        return scope.window
    days = days_of(protocol, scope.source, scope.window)
    return f"{day(days.first)} to {day(days.last)}"


def scope_words(study: Study, scope: Scope) -> str:
    """A file as a whole: what it is, which days, whose people."""
    whose = next(
        (each.title for each in study.partners.all() if each.name == scope.partner), "everybody's people"
    )
    return f"{source_words(study, scope.source)}, {days_words(study, scope)}, {whose}"

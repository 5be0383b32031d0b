"""References from a narrative to a finding or to the protocol: `{{ effect.wellbeing.interval }}`."""

import re
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from equipoise.errors import InputError, nearest
from equipoise.findings.results import Finding, Findings
from equipoise.report import words
from equipoise.report.names import Names
from equipoise.report.numbers import p_value
from equipoise.report.tables import PROVENANCE, slug

__all__ = ["FIELDS", "REFERENCE", "Quoted", "References", "anchor_of", "linked"]

REFERENCE = re.compile(r"\{\{((?:(?!\{\{).)*?)\}\}")
_INTERVAL = re.compile(r"\([^()]*interval[^()]*\)")
FIELDS = ("estimate", "interval", "sentence", "n", "p_value", "standardised")


@dataclass(frozen=True)
class Quoted:
    """What stands in a reference's place, and the finding that it was drawn from (None: the protocol)."""

    text: str
    finding: str | None


def anchor_of(finding_id: str) -> str:
    """The id of a finding's row in the provenance table."""
    signed = finding_id.replace(" - ", " minus ").replace("=", " is ").replace("_", " u ")
    return "finding-" + slug(signed)


def linked(finding_id: str, text: str, page: str = PROVENANCE) -> Markup:
    """A number with the way to its row of the provenance table; of a whole sentence only the interval is
    the link.

    `page` is the document that holds the table.
    """
    parts = _INTERVAL.search(text)
    anchor = Markup('<a class="drawn" data-finding="{}" href="{}#{}">{}</a>')
    if parts is None or parts.start() < 20:
        return anchor.format(finding_id, page, anchor_of(finding_id), text)
    inner = anchor.format(finding_id, page, anchor_of(finding_id), parts[0])
    return Markup('<span data-finding="{}">{}{}{}</span>').format(
        finding_id, text[: parts.start()], inner, text[parts.end() :]
    )


@dataclass(frozen=True)
class References:
    """Resolves references for one study; `page` is the document that lists its findings."""

    names: Names
    findings: Findings | None
    page: str = PROVENANCE

    def quote(self, reference: str) -> Quoted:
        """The text for a reference.

        Raises:
            InputError: nothing, or more than one thing, answers to it; the message names the nearest.
        """
        if reference == "protocol" or reference.startswith("protocol."):
            return Quoted(self._of_protocol(reference.removeprefix("protocol").lstrip(".")), None)
        if self.findings is None:
            return Quoted("[not yet analysed]", None)
        head, _, field = reference.rpartition(".")
        if field in FIELDS and head:
            finding = self.find(head)
            return Quoted(self._field(finding, field), finding.id)
        finding = self.find(reference)
        return Quoted(words.short(finding, self.names), finding.id)

    def find(self, reference: str) -> Finding:
        """The finding meant: an id, or the shortest prefix that leads to one result and what checks it."""
        if self.findings is None:
            raise InputError(f'"{reference}" is a finding, and this study has no findings yet')
        matches = [one for one in self.findings if one.id.startswith(reference + ".")]
        exact = [one for one in self.findings if one.id == reference]
        # Bounds and tipping points stand under the effect that they check, so the effect is what is meant.
        heads = [one for one in matches if all(o is one or o.id.startswith(one.id + ".") for o in matches)]
        return (exact or heads or [self.findings.find(reference)])[0]

    def _field(self, finding: Finding, field: str) -> str:
        if field == "p_value":
            return p_value(finding.p_value)
        texts = {
            "estimate": lambda: words.estimate_text(finding, self.names),
            "interval": lambda: words.interval_text(finding, self.names),
            "sentence": lambda: words.sentence(finding, self.names),
            "n": lambda: f"{sum(finding.n.values()):,}",
            "standardised": lambda: words.standardised_text(finding),
        }
        return texts[field]()

    def _of_protocol(self, path: str) -> str:
        value: Any = self.names.protocol.model_dump(mode="json", by_alias=True)
        for step in filter(None, path.split(".")):
            if not isinstance(value, dict) or step not in value:
                allowed = [str(key) for key in value] if isinstance(value, dict) else []
                raise InputError(
                    f'"protocol.{path}": "{step}" is not there. Allowed: {nearest(step, allowed)}'
                )
            value = value[step]
        if isinstance(value, dict):
            raise InputError(
                f'"protocol.{path}" is a whole part, not a value. Allowed below it: {", ".join(value)}'
            )
        if value is None:
            raise InputError(f'"protocol.{path}" is not stated in the protocol')
        return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

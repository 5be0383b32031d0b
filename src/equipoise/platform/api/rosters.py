"""`POST studies/STUDY/rosters`: people into a study, or brought up to date, by the engine of the pages."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from equipoise.errors import InputError, Problem, nearest
from equipoise.platform.api.limits import count_dear
from equipoise.platform.api.problems import OneProblem
from equipoise.platform.api.receiving import CONTENT_TYPES, FORM, received_file
from equipoise.platform.api.tokens import Admitted
from equipoise.platform.people.actions import import_source, look_at_update, update_from
from equipoise.platform.people.comparison import Comparison
from equipoise.platform.people.models import RosterImport
from equipoise.platform.people.previews import Preview, look_at_import
from equipoise.platform.people.reading import RosterSource
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.policies import check_state
from equipoise.roster import Mapping as ColumnMapping

__all__ = ["router"]

router = Router(tags=["Rosters"])
# Of its own file a partner's service learns no more: all else, whether anything changed included, depends on
# who left the study or takes part through another partner.
_TOLD_TO_PARTNER = ("refused", "new")


class RosterQuery(Schema):
    """How a roster is to be read and what is to be done with it."""

    kind: Literal["import", "update"] = Field(
        "import", description="Enrol new people, or change known ones too"
    )
    dry_run: bool = Field(False, alias="dry-run", description="Say what would happen, and store nothing")
    name: str = Field("", max_length=200, description="Of the file; problems are told by it")
    partner: str = Field("", max_length=80, description="Whose people they are, where the rows do not say")
    good_rows_only: bool = Field(False, alias="good-rows-only", description="Leave refused rows out")
    whole: bool = Field(False, description="Update only: whoever of its partners is not in it has left")
    encoding: Literal["", "utf-8", "cp1252", "utf-16"] = Field(
        "", description="Of text that is detected wrongly"
    )
    column: list[str] = Field([], description="A column of the study and the file's, as email:E-mail address")
    constant: list[str] = Field([], description="A column that is the same for everybody, as region:north")


class RosterSaid(Schema):
    """What came of a roster, or would.

    `outcome` is `looked-at`, `stored`, `stored-already` (this very file, at an earlier time) or `unchanged`;
    `acceptable` whether it would be stored as it stands; `problems` are rows that are refused, by line. The
    service of a partner is told `taken` in place of the last three, and of `counts` only how many rows were
    refused and how many people are new.
    """

    outcome: Literal["looked-at", "stored", "stored-already", "unchanged", "taken"]
    acceptable: bool
    number: int | None = Field(description="Of the import, where one was stored")
    counts: dict[str, int]
    problems: list[OneProblem]


_FILE = {"type": "string", "format": "binary"}
_BODY = {
    "required": True,
    "content": {
        **{kind: {"schema": _FILE} for kind in CONTENT_TYPES},
        FORM: {"schema": {"type": "object", "required": ["file"], "properties": {"file": _FILE}}},
    },
}


@router.post(
    "studies/{slug:study}/rosters",
    response=RosterSaid,
    url_name="api-rosters",
    operation_id="send_roster",
    openapi_extra={"requestBody": _BODY},
)
def rosters(request: HttpRequest, study: str, query: Query[RosterQuery]) -> dict[str, Any]:
    """Send a roster: CSV, XLSX or Parquet, as the body or as `file` of a form.

    It is stored whole or not at all. Sending the same file again changes nothing and is no error.
    """
    _refuse_unknown(request)
    count_dear(request)
    admitted: Admitted = request.auth
    check_state(f"people.{query.kind}", admitted.study.state, of=admitted.study.name)
    with received_file(request, query.name) as path:
        source = _source(admitted, query, path)
        if query.dry_run:
            return _looked_at(admitted, _look(admitted, query, source))
        try:
            return _stored(admitted, _store(admitted, query, source))
        except InputError:
            looked = _look(admitted, query, source)
            if _refuses(looked) or _alters(looked):
                raise
            return _unchanged(admitted, looked)


def _refuse_unknown(request: HttpRequest) -> None:
    """Stop at a parameter that there is not: `dryrun=true` must not store anything."""
    known = [info.alias or name for name, info in RosterQuery.model_fields.items()]
    for name in request.GET:
        if name not in known:
            raise InputError(
                Problem("", name[:80], f"is not a parameter. Parameters: {nearest(name, known)}")
            )


def _source(admitted: Admitted, query: RosterQuery, path: Path) -> RosterSource:
    columns = _pairs("column", query.column)
    return RosterSource(
        path,
        ColumnMapping(columns) if columns else None,
        _pairs("constant", query.constant),
        _partner(admitted, query.partner),
        query.good_rows_only,
        query.encoding or None,
    )


def _partner(admitted: Admitted, asked: str) -> str | None:
    own = admitted.service.partner
    if own is not None and asked not in ("", own.name):
        raise NotAllowedError(f"this service is for the people of {own.name} only")
    return own.name if own is not None else asked or None


def _pairs(where: str, texts: Iterable[str]) -> dict[str, str]:
    pairs = {}
    for text in texts:
        name, colon, value = text.partition(":")
        if not (name and colon and value):
            raise InputError(Problem("", where, "expected NAME:VALUE, as email:E-mail address"))
        pairs[name] = value
    return pairs


def _look(admitted: Admitted, query: RosterQuery, source: RosterSource) -> Preview | Comparison:
    if query.kind == "update":
        return look_at_update(admitted.study, source, whole=query.whole, reach=admitted.reach)
    return look_at_import(admitted.study, source)


def _store(admitted: Admitted, query: RosterQuery, source: RosterSource) -> RosterImport:
    if query.kind == "update":
        return update_from(admitted.service, admitted.study, source, whole=query.whole)
    return import_source(admitted.service, admitted.study, source)


def _preview(looked: Preview | Comparison) -> Preview:
    return looked.preview if isinstance(looked, Comparison) else looked


def _refuses(looked: Preview | Comparison) -> bool:
    """Whether rows are refused, and are not to be left out."""
    read = _preview(looked).read
    return bool(read.report.refused) and not read.source.good_rows_only


def _alters(looked: Preview | Comparison) -> bool:
    """Whether anything would become other than it is."""
    if isinstance(looked, Comparison):
        return looked.alters
    return bool(looked.newcomers) and looked.earlier is None


def _looked_at(admitted: Admitted, looked: Preview | Comparison) -> dict[str, Any]:
    acceptable = not _refuses(looked) and (_alters(looked) or not admitted.reach.everybody)
    problems = _preview(looked).read.report.problems()
    return _said(admitted, "looked-at", looked.counts, acceptable=acceptable, problems=problems)


def _stored(admitted: Admitted, imported: RosterImport) -> dict[str, Any]:
    return _said(admitted, "stored", imported.counts, number=imported.pk)


def _unchanged(admitted: Admitted, looked: Preview | Comparison) -> dict[str, Any]:
    earlier = looked.earlier if isinstance(looked, Preview) else None
    if earlier is not None:
        return _said(admitted, "stored-already", earlier.counts, number=earlier.pk)
    return _said(admitted, "unchanged", looked.counts)


def _said(
    admitted: Admitted,
    outcome: str,
    counts: Mapping[str, int],
    *,
    acceptable: bool = True,
    number: int | None = None,
    problems: Iterable[Problem] = (),
) -> dict[str, Any]:
    told = [{"place": one.place, "where": one.where, "message": one.message} for one in problems]
    said = {"acceptable": acceptable, "problems": told}
    if admitted.reach.everybody:
        return said | {"outcome": outcome, "number": number, "counts": dict(counts)}
    outcome = outcome if outcome == "looked-at" else "taken"
    return said | {
        "outcome": outcome,
        "number": None,
        "counts": {name: counts[name] for name in _TOLD_TO_PARTNER},
    }

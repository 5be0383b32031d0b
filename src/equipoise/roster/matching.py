"""Which column of a file is which declared column: proposed from names and contents, confirmed, stored."""

import io
import re
from collections.abc import Mapping as Lookup
from dataclasses import dataclass, field, replace
from pathlib import Path

import polars as pl
from rapidfuzz import fuzz
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from equipoise.errors import Problem, RosterError, nearest
from equipoise.protocol.models.participants import RosterColumn
from equipoise.roster.reading import RawTable
from equipoise.roster.values import convert

__all__ = [
    "Mapping",
    "Match",
    "Proposal",
    "mapping_path",
    "mapping_text",
    "propose_mapping",
    "read_mapping",
    "write_mapping",
]

CERTAIN = 0.75
POSSIBLE = 0.45
_LEAD = 0.1
_SAMPLE = 200

# What offices call things, by the words in a declared name or by its type. Each set is one meaning.
_SYNONYMS = (
    {"mobile", "phone", "telephone", "tel", "cell", "mobile number", "mobile no", "phone number",
     "contact number"},
    {"email", "mail", "email address", "work email", "mail address"},
    {"ref", "reference", "staff ref", "staff id", "id", "employee number", "employee id", "payroll number",
     "payroll no", "person id", "staff number", "staff no", "trainee id", "unique id", "identifier"},
    {"started on", "start date", "date started", "start", "joined", "date joined", "in post since"},
    {"authority", "local authority", "council", "la", "employer", "organisation"},
    {"region", "area", "location", "district"},
    {"cohort", "intake", "year group", "entry year", "cohort year"},
    {"team", "service", "unit", "section"},
    {"role", "job", "job title", "position", "post"},
    {"name", "full name", "staff name", "employee name"},
    {"first name", "forename", "given name"},
    {"surname", "last name", "family name"},
    {"occasion", "n", "no", "number", "week", "week number", "message", "message number", "e mail number"},
    {"sent on", "sent", "sent at", "date sent", "day sent", "send date", "accepted on", "date"},
    {"status", "outcome", "result", "delivery", "delivery status"},
)  # fmt: skip
_TYPE_WORDS = {"phone": "phone", "email": "email"}


@dataclass(frozen=True)
class Mapping:
    """Declared column -> column of the file, and declared column -> a constant for every row of the file."""

    columns: dict[str, str]
    constants: dict[str, str] = field(default_factory=dict)

    def with_constant(self, column: str, value: str) -> "Mapping":
        """The mapping with one declared column the same for everybody, as when a file is one authority's."""
        columns = {declared: found for declared, found in self.columns.items() if declared != column}
        return replace(self, columns=columns, constants={**self.constants, column: value})


@dataclass(frozen=True)
class Match:
    """A declared column and the column proposed for it, `score` from 0 to 1, with `reasons` to be read."""

    declared: str
    found: str | None
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Proposal:
    """A mapping to confirm; `unused` are the file's other columns."""

    file: str
    matches: tuple[Match, ...]
    unused: tuple[str, ...]

    @property
    def mapping(self) -> Mapping:
        """Every match proposed, certain or not."""
        return Mapping({match.declared: match.found for match in self.matches if match.found is not None})

    def certain(self, columns: Lookup[str, RosterColumn]) -> Mapping:
        """The mapping, if it may be used without anybody having confirmed it.

        Raises:
            RosterError: a required column was not found, or a match is too weak to act upon.
        """
        problems = [
            problem for match in self.matches if (problem := self._doubt(match, columns[match.declared]))
        ]
        if problems:
            raise RosterError(problems)
        return self.mapping

    def _doubt(self, match: Match, column: RosterColumn) -> Problem | None:
        remedy = f"Name its column in a mapping file ({mapping_path(Path(), Path(self.file)).as_posix()})."
        if match.found is None:
            if not (column.required or column.role == "identifier"):
                return None
            seen = nearest(match.declared, self.unused)
            return Problem(
                self.file, match.declared, f"no column for it was found. Columns left: {seen} {remedy}"
            )
        if match.score >= CERTAIN:
            return None
        doubt = (
            f"perhaps column “{match.found}” ({'; '.join(match.reasons)}), but that is not certain. {remedy}"
        )
        return Problem(self.file, match.declared, doubt)


def propose_mapping(table: RawTable, columns: Lookup[str, RosterColumn], region: str = "GB") -> Proposal:
    """Proposes which column of a file holds which declared column.

    Args:
        table: the file as read.
        columns: the declared columns by name.
        region: as for `convert`.
    Returns:
        One match for each declared column, best pairs first come first served; ties go by the order of the
        file and then of the declaration, so the same file always gets the same proposal.
    """
    scored = [
        (score, -place, -number, found, declared, reasons)
        for place, found in enumerate(table.source.columns)
        for number, (declared, column) in enumerate(columns.items())
        for score, reasons in [_score(found, table.cells[found], declared, column, region)]
        if score >= POSSIBLE
    ]
    chosen: dict[str, Match] = {}
    taken: set[str] = set()
    for score, _, _, found, declared, reasons in sorted(scored, reverse=True):
        if declared not in chosen and found not in taken:
            rivals = [
                rival
                for rival, _, _, other, name, _ in scored
                if name == declared and other not in taken | {found}
            ]
            chosen[declared] = _match(declared, found, score, reasons, max(rivals, default=0.0))
            taken.add(found)
    matches = tuple(chosen.get(name) or Match(name, None, 0.0, ("nothing like it",)) for name in columns)
    return Proposal(
        table.source.file, matches, tuple(name for name in table.source.columns if name not in taken)
    )


def mapping_path(study: Path, file: Path) -> Path:
    """Where the mapping of a file is stored with its study: `data/mappings/<file's stem>.yaml`."""
    return study / "data" / "mappings" / f"{file.stem}.yaml"


def read_mapping(path: Path, columns: Lookup[str, RosterColumn]) -> Mapping:
    """Reads a stored mapping.

    Raises:
        RosterError: the file is missing, is not YAML, or maps what is not declared.
    """
    if not path.is_file():
        raise RosterError(Problem(path.name, "", "there is no such mapping file."))
    try:
        written = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError):
        raise RosterError(Problem(path.name, "", "the mapping is not well-formed YAML in UTF-8.")) from None
    if not isinstance(written, dict) or not set(written) <= {"columns", "constants"}:
        raise RosterError(
            Problem(path.name, "", "a mapping has the keys columns and constants, and no others.")
        )
    parts = {key: _pairs(path, key, written.get(key) or {}, columns) for key in ("columns", "constants")}
    both = parts["columns"].keys() & parts["constants"].keys()
    if both:
        raise RosterError(
            Problem(path.name, name, "is both a column and a constant.") for name in sorted(both)
        )
    return Mapping(parts["columns"], parts["constants"])


def mapping_text(mapping: Mapping) -> str:
    """A mapping as the YAML that `read_mapping` reads."""
    written: dict[str, dict[str, str]] = {"columns": dict(mapping.columns)}
    if mapping.constants:
        written["constants"] = dict(mapping.constants)
    text = io.StringIO()
    yaml = YAML()
    yaml.width = 1000
    yaml.dump(written, text)
    return text.getvalue()


def write_mapping(mapping: Mapping, path: Path) -> None:
    """Stores a mapping where its study keeps it, making the folder if need be."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(mapping_text(mapping), encoding="utf-8")


def _pairs(path: Path, key: str, pairs: object, columns: Lookup[str, RosterColumn]) -> dict[str, str]:
    if not isinstance(pairs, dict):
        raise RosterError(Problem(path.name, key, "is a list of pairs, such as `mobile: Mobile number`."))
    unknown = [name for name in pairs if name not in columns]
    if unknown:
        declared = list(columns)
        raise RosterError(
            Problem(
                path.name, f"{key}.{name}", f"is no declared column. Declared: {nearest(str(name), declared)}"
            )
            for name in unknown
        )
    return {str(name): str(found) for name, found in pairs.items()}


def _match(declared: str, found: str, score: float, reasons: tuple[str, ...], rival: float) -> Match:
    if score >= CERTAIN and score < 1.0 and rival > score - _LEAD:
        return Match(declared, found, CERTAIN - 0.01, (*reasons, "another column fits nearly as well"))
    return Match(declared, found, round(score, 3), reasons)


def _score(
    found: str, cells: pl.Series, declared: str, column: RosterColumn, region: str
) -> tuple[float, tuple[str, ...]]:
    by_name, name_reason = _name_score(_words(found), declared, column)
    by_content, content_reason = _content_score(cells, column, region)
    if by_name == 1.0 or by_content is None:
        return by_name, (name_reason,)
    telling = column.type in ("email", "phone", "date") or column.levels is not None
    if telling and by_content < 0.5:
        return 0.5 * by_name, (name_reason, content_reason)
    score = 0.5 * by_name + 0.5 * by_content if telling else 0.85 * by_name + 0.1 * by_content
    if telling and by_content > 0.9:
        score = max(score, 0.55, by_name if by_name < 0.9 else 0.95)
    return score, (name_reason, content_reason)


def _name_score(found: str, declared: str, column: RosterColumn) -> tuple[float, str]:
    names = [_words(declared), *([_words(column.label)] if column.label else [])]
    if found in names:
        return 1.0, "same name"
    meanings = set(names) | ({_TYPE_WORDS[column.type]} if column.type in _TYPE_WORDS else set())
    if column.role == "identifier":
        meanings.add("identifier")
    for alike in _SYNONYMS:
        if found in alike and meanings & alike:
            return 0.9, "a usual name for it"
    near = max(fuzz.ratio(found, name) for name in names) / 100
    shared = max(fuzz.token_set_ratio(found, name) for name in names) / 100
    closeness = max(near, 0.9 * shared)
    return 0.9 * closeness, f"name {round(100 * closeness)}% alike"


def _content_score(cells: pl.Series, column: RosterColumn, region: str) -> tuple[float | None, str]:
    sample = cells.str.strip_chars().replace("", None).drop_nulls().head(_SAMPLE)
    if not sample.len():
        return None, "no contents"
    open_ended = column.type in ("text", "category") and column.levels is None
    if open_ended and column.role != "identifier":
        return None, "any text would do"
    if open_ended:
        share = sample.n_unique() / sample.len()
        return share, f"{round(100 * share)}% of its values differ"
    refused = convert(sample, column, region=region, true_dates=True).refusals.height
    share = 1 - refused / sample.len()
    return share, f"{round(100 * share)}% of its values are of type {column.type}"


def _words(name: str) -> str:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    spaced = re.sub(r"(?i)e-mail", "email", spaced)
    return " ".join(re.sub(r"[^\w]+|_", " ", spaced).casefold().split())

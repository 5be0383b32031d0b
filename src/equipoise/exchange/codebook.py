"""The codebook of a study's data: every table with its columns, as every format describes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from equipoise.errors import InputError, Problem, nearest
from equipoise.exchange.masking import mask_limits
from equipoise.exchange.variables import Variable, variables_of
from equipoise.protocol.study import Study

__all__ = ["Codebook", "Table", "codebook"]


@dataclass(frozen=True)
class Table:
    """One table: `variables` in the order of its columns, `key` the columns that tell its rows apart."""

    name: str
    title: str
    variables: tuple[Variable, ...]
    key: tuple[str, ...]

    @property
    def shown(self) -> tuple[Variable, ...]:
        """The variables that are in the file."""
        return tuple(variable for variable in self.variables if variable.withheld is None)


@dataclass(frozen=True)
class Codebook:
    """A study's tables.

    `masked` says that they are those of somebody who may not know the arms yet, `limits` what the mask cannot
    hide.
    """

    study: str
    title: str
    tables: tuple[Table, ...]
    masked: bool = False
    synthetic: bool = False
    limits: tuple[str, ...] = ()

    def table(self, name: str) -> Table:
        """The table of this name.

        Raises:
            InputError: there is none.
        """
        for table in self.tables:
            if table.name == name:
                return table
        listed = nearest(name, [table.name for table in self.tables])
        raise InputError(Problem("codebook", "", f'there is no table "{name}". Tables: {listed}'))


def codebook(
    study: Study,
    tables: Mapping[str, Sequence[str]],
    *,
    masked: bool = False,
    origins: Mapping[str, str] | None = None,
) -> Codebook:
    """Describe a study's tables.

    Args:
        study: as loaded.
        tables: the columns of each table, in order, those included that the mask withholds.
        masked: whether results are still masked for whoever gets the tables.
        origins: from which files columns of the participants' table come, in words, by column.
    Raises:
        InputError: a table that the study does not have.
    """
    known = _titles(study)
    problems = [
        Problem("codebook", name, f"is not a table of this study. Tables: {nearest(name, list(known))}")
        for name in tables
        if name not in known
    ]
    if problems:
        raise InputError(problems)
    described = tuple(
        Table(
            name,
            known[name],
            variables_of(study, name, columns, masked=masked, origins=origins),
            _key(study, name, columns),
        )
        for name, columns in tables.items()
    )
    head = study.protocol.study
    limits = mask_limits(study) if masked else ()
    return Codebook(head.id, head.title, described, masked, head.synthetic, limits)


def _titles(study: Study) -> dict[str, str]:
    protocol = study.protocol
    titles = {"participants": "Participants, one row each"}
    titles |= {
        f"answers_{name}": f"Answers, one row for each participant who answered: {wave.label or name}"
        for name, wave in protocol.waves.items()
    }
    titles |= {
        f"scores_{name}": f"Scores by the published rules, beside the answers: {wave.label or name}"
        for name, wave in protocol.waves.items()
    }
    titles |= {
        name: f"Ratings, one row for each vignette judged: {task.label or name}"
        for name, task in protocol.tasks.items()
    }
    titles["exclusions"] = "Exclusions decided without knowing the arms, one row for whom and of what"
    return titles | {name: source.label or f"Data from {name}" for name, source in protocol.sources.items()}


def _key(study: Study, table: str, columns: Sequence[str]) -> tuple[str, ...]:
    protocol = study.protocol
    roster = protocol.participants.roster if protocol.participants else {}
    identifier = [name for name, column in roster.items() if column.role == "identifier"]
    if table in protocol.sources or table == "exclusions":
        return ()
    more = ["task", "position"] if table in protocol.tasks else []
    return tuple(name for name in (*identifier, *more) if name in columns)

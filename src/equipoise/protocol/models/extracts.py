"""HR extracts that become outcomes: over which days, with which columns, and how spells are summed."""

from typing import Literal

from pydantic import Field, model_validator

from equipoise.record import Name, Record, Text

__all__ = ["Extract", "ExtractColumn", "Spells", "Window"]


class Window(Record):
    """The days that an extract covers: from the day of `from` up to the day of `to`, which is left out.

    Where `to` is a date without an hour, that day is the last one.
    """

    from_: str
    to: str


class ExtractColumn(Record):
    """A column that an extract must yield, whatever the file calls it.

    Numbers, yes and no are kept for the outcome that names the column. A date has to lie within the window,
    and is not kept. It is ISO (`%Y-%m-%d`) unless `format` says otherwise.
    """

    type: Literal["integer", "number", "yes-no", "date"]
    required: bool = True
    format: Text | None = None
    low: float | None = None
    high: float | None = None
    label: Text | None = None


class Spells(Record):
    """How an extract with a row for each spell of absence is summed.

    `first` and `last` name the columns with the first and the last day of a spell; without its last day a
    spell lasts to the end of the window. The days of all spells of a participant that lie in the window are
    counted: `all` of them, or `weekdays`. `gives` names their number for the outcomes. Whoever has no spell
    has 0, so the file must hold every spell of everybody whom it covers.
    """

    first: Name
    last: Name
    days: Literal["all", "weekdays"] = "all"
    gives: Name


class Extract(Record):
    """What a file from an HR system holds, so that its numbers become outcomes.

    Each window goes by the name of a wave, and has files of its own. An outcome names a column and, as
    `waves`, the windows in which it is measured; without `waves` there is one window, of any name. The file
    has one row for each person, or for each spell of absence where `spells` says so. People are found by the
    roster's identifier, which is read, compared and not kept.

        sources:
          absence:
            kind: hr-extract
            label: Sickness absence, from the councils' HR systems
            extract:
              windows:
                before: {from: launch - 12 weeks, to: launch}
                after: {from: launch, to: launch + 12 weeks}
              columns:
                days_off: {type: number, low: 0, high: 84, label: Days of sickness absence}
        outcomes:
          sickness: {column: days_off, waves: [after], good: low, range: [0, 84], unit: days}
    """

    windows: dict[Name, Window] = Field(min_length=1)
    columns: dict[Name, ExtractColumn] = Field(min_length=1)
    spells: Spells | None = None

    @model_validator(mode="after")
    def _of_dates(self) -> "Extract":
        if self.spells is None:
            return self
        dates = {name for name, column in self.columns.items() if column.type == "date"}
        if dates != {self.spells.first, self.spells.last} or dates != set(self.columns):
            raise ValueError(
                "with `spells` the columns are the two dates that `first` and `last` name, and no others; "
                f"found {', '.join(self.columns)}"
            )
        return self

    @property
    def gives(self) -> tuple[str, ...]:
        """The columns that outcomes can name."""
        if self.spells is not None:
            return (self.spells.gives,)
        return tuple(name for name, column in self.columns.items() if column.type != "date")

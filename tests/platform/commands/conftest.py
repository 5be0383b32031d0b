"""A command of the platform, run in the test's own process on the test's workspace."""

import json
from types import SimpleNamespace

import pytest
from django.conf import settings

from equipoise.cli import main


@pytest.fixture
def run(capsys):
    """A function that runs `equipoise WORD WORD WORKSPACE ...` and answers with code, out and err."""

    def command(group, verb, *words):
        capsys.readouterr()
        try:
            code = main([group, verb, str(settings.WORKSPACE.folder), *(str(word) for word in words)])
        except SystemExit as stop:
            code = stop.code or 0
        out, err = capsys.readouterr()
        said = json.loads(out) if "--json" in words else None
        return SimpleNamespace(code=code, out=out, err=err, said=said)

    return command

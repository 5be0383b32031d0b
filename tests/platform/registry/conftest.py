"""Amending a locked folder as `equipoise amend` does, and the record of a study."""

import pytest

from equipoise.cli import main
from equipoise.platform.audit.models import Entry


@pytest.fixture
def amended():
    """A function that changes a locked folder and records it as an amendment."""

    def amend(folder, before, after, *, file="protocol.yaml", reason="A clearer label"):
        path = folder / file
        text = path.read_text("utf-8")
        assert before in text
        path.write_text(text.replace(before, after, 1), "utf-8")
        said = ["--by", "Alice (synthetic)", "--reason", reason, "--data-seen", "none", "--quiet"]
        with pytest.raises(SystemExit) as done:
            main(["amend", str(folder), *said])
        assert done.value.code == 0
        return folder

    return amend


@pytest.fixture
def recorded():
    """A function that lists the verbs in a chain, oldest first."""
    return lambda chain: list(
        Entry.objects.filter(chain_id=chain).order_by("number").values_list("verb", flat=True)
    )

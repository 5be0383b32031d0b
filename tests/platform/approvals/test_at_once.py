"""Eight at once: of two decisions, two requests, two downloads, one counts and the others are told."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connections

from equipoise.errors import EquipoiseError
from equipoise.platform.approvals.actions import ask, decide
from equipoise.platform.approvals.acts import ERASE, IDENTIFY, UNMASK
from equipoise.platform.approvals.identified import take_file
from equipoise.platform.approvals.models import ApprovalRequest
from equipoise.platform.audit.models import Chain, Entry
from equipoise.platform.audit.queries import chain_faults
from equipoise.platform.people.models import Withdrawal
from equipoise.platform.registry.models import Study

pytestmark = pytest.mark.django_db(transaction=True)
AT_ONCE = 8


def at_once(attempt):
    """What came of eight attempts: "done", or what was told."""
    ready = Barrier(AT_ONCE)

    def run(number):
        try:
            ready.wait()
            attempt(number)
        except EquipoiseError as error:
            return str(error)
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sorted(pool.map(run, range(AT_ONCE)))


def test_everything_of_which_one_counts_is_done_once_by_whoever_comes_first(sealed, people, cast, erasing):
    told = at_once(lambda _: ask(cast["Alice"], sealed, UNMASK, reason="The seal is published"))
    assert told.count("done") == 1
    assert sum("request 1 waits for a decision" in each for each in told) == 7
    request = ApprovalRequest.objects.select_related("study").get()

    def unmask_or_not(number):
        who = cast["Dora" if number % 2 else "Erin"]
        decide(who, request, "refuse" if number % 4 > 1 else "approve", "I have looked")

    told = at_once(unmask_or_not)
    assert told.count("done") == 1
    assert sum("nothing can be decided of it any more" in each for each in told) == 7
    decided = ApprovalRequest.objects.get()
    assert (Study.objects.get().results == "unmasked") == (decided.state == "approved")
    assert Entry.objects.filter(verb="results.unmask").count() == int(decided.state == "approved")

    told = at_once(
        lambda number: ask(cast["Dora"], sealed, ERASE, reason="Rang", subject=erasing(number // 2))
    )
    assert told.count("done") == 4
    erasures = list(ApprovalRequest.objects.filter(act=ERASE).order_by("number"))
    assert [each.number for each in erasures] == [2, 3, 4, 5]
    told = at_once(lambda number: decide(cast["Alice"], erasures[number // 2], "approve", "I have looked"))
    assert told.count("done") == Withdrawal.objects.count() == 4

    file = ask(cast["Alice"], sealed, IDENTIFY, reason="Letters", subject={"columns": ["email"]})
    file = decide(cast["Dora"], file, "approve", "Letters are in the protocol")
    told = at_once(lambda _: take_file(cast["Alice"], file))
    assert told.count("done") == 1
    assert sum("has been taken" in each for each in told) == 7
    assert not list(chain_faults(Chain.objects.get(name="swing")))

"""The record: what is entered cannot be changed, removed, put elsewhere, cut off or rewritten unseen."""

import json

import pytest
from django.db import transaction

from equipoise.errors import InputError
from equipoise.platform.audit.actions import GENESIS, entry_hash, record
from equipoise.platform.audit.models import Chain, Entry
from equipoise.platform.audit.queries import Head, anchor_faults, heads, verdicts
from equipoise.platform.verification import read_anchor


@pytest.fixture
def chain(at):
    """A chain of six acts."""
    for number in range(1, 7):
        with transaction.atomic():
            record("swing", "staff:7", "people.import", {"people": number})
    return Chain.objects.get(name="swing")


def faults():
    return [fault for verdict in verdicts() for fault in verdict.faults]


def rewritten(from_number):
    """Write a chain anew from an entry on, as somebody would who can write to the database."""
    chain = Chain.objects.get(name="swing")
    previous = GENESIS
    for entry in Entry.objects.filter(chain=chain).order_by("number"):
        if entry.number >= from_number:
            entry.previous = previous
            entry.hash = entry_hash(entry)
            entry.save()
        previous = entry.hash
    Chain.objects.filter(name="swing").update(head=previous)


def test_a_chain_as_it_was_written_has_no_fault(chain):
    assert faults() == []
    assert heads() == {"swing": Head(6, chain.head)}


def test_an_act_is_not_entered_outside_its_transaction(chain, transactional_db):
    with pytest.raises(RuntimeError, match="outside the transaction"):
        record("swing", "staff:7", "people.import", {})


@pytest.mark.parametrize(
    "change",
    [
        {"details": '{"people":600}'},
        {"actor": "staff:8"},
        {"verb": "people.see"},
        {"at": "2020-01-01T00:00:00.000000Z"},
        {"hash": "0" * 64},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_entry_that_was_changed_is_named(chain, change):
    Entry.objects.filter(number=3).update(**change)

    assert "swing: entry 3 was changed after it was written" in faults()


def test_an_entry_that_was_removed_is_named(chain):
    Entry.objects.filter(number=3).delete()

    assert faults() == ["swing: entry 3 is missing; the next is 4"]


def test_entries_put_in_another_order_are_named(chain):
    Entry.objects.filter(number=3).update(number=99)
    Entry.objects.filter(number=4).update(number=3)
    Entry.objects.filter(number=99).update(number=4)

    assert {fault.split(" ", 3)[2] for fault in faults()} == {"3", "4", "5"}


def test_an_entry_added_in_between_is_named(chain):
    Entry.objects.filter(number=6).update(number=7)
    Entry.objects.create(
        chain=chain,
        number=6,
        at="",
        actor="staff:7",
        verb="people.see",
        details="{}",
        previous=Entry.objects.get(number=5).hash,
        hash="0" * 64,
    )

    assert any("entry 7 does not follow" in fault for fault in faults())


def test_a_tail_that_was_cut_off_is_seen_by_the_head(chain):
    Entry.objects.filter(number__gt=4).delete()

    assert faults() == ["swing: the chain ends at entry 4, and its head says 6"]


def test_a_tail_cut_off_together_with_the_head_is_seen_by_the_anchor_alone(chain):
    kept = heads()
    Entry.objects.filter(number__gt=4).delete()
    Chain.objects.update(number=4, head=Entry.objects.get(number=4).hash)

    assert faults() == []
    assert list(anchor_faults(kept)) == ["swing: the chain ends at entry 4; its head was kept at 6"]


def test_a_chain_rewritten_as_a_whole_is_seen_by_the_anchor_alone(chain):
    kept = heads()
    Entry.objects.filter(number=2).update(details='{"people":200}')
    rewritten(from_number=2)

    assert faults() == []
    assert list(anchor_faults(kept)) == [
        "swing: entry 6 is not the one whose hash was kept; the chain was rewritten"
    ]


def test_a_chain_that_is_gone_is_seen_by_the_anchor(chain):
    kept = heads()
    Entry.objects.all().delete()
    Chain.objects.all().delete()

    assert list(anchor_faults(kept)) == ["swing: the chain is gone; its head was kept at entry 6"]


def test_an_anchor_holds_while_the_chain_goes_on(chain):
    kept = heads()
    with transaction.atomic():
        record("swing", "staff:7", "people.import", {"people": 7})

    assert list(anchor_faults(kept)) == []


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"heads": {"swing": {"number": 6, "head": "a" * 64}}, "ok": True}),
        json.dumps({"swing": {"number": 6, "head": "a" * 64}}),
        json.dumps({"chain": "swing", "number": 6, "head": "a" * 64}),
        "\n".join(
            json.dumps({"chain": "swing", "number": n, "head": c * 64}) for n, c in ((5, "b"), (6, "a"))
        ),
    ],
)
def test_heads_are_read_in_every_form_in_which_they_are_kept(text):
    assert read_anchor(text, "heads.json") == {"swing": Head(6, "a" * 64)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "swing 6",
        "[]",
        '{"swing": 6}',
        '{"swing": {"number": 6, "head": "A"}}',
        f'{{"swing": {{"number": "6", "head": "{"a" * 64}"}}}}',
        f'{{"swing": {{"number": -1, "head": "{"a" * 64}"}}}}',
    ],
)
def test_what_holds_no_heads_is_refused(text):
    with pytest.raises(InputError, match=r"heads\.json: expected what `equipoise verify WORKSPACE --json`"):
        read_anchor(text, "heads.json")

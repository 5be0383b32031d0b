"""Seeds: published vectors, the beacon's round, and what the record may claim."""

import hashlib
import hmac
from datetime import UTC, datetime, timedelta, timezone

import pytest

from equipoise.allocation import PublicRound, commitment, derive_seed, first_round, given_seed, roster_hash
from equipoise.allocation.chance.roster_hash import canonical_roster
from equipoise.allocation.chance.seed import hkdf
from equipoise.errors import DesignError, InputError

SECRET, PROTOCOL, ROSTER = bytes(range(32)), "ab" * 32, "cd" * 32
ROUND = PublicRound(7, "ef" * 32)


@pytest.mark.parametrize(
    ("ikm", "salt", "info", "length", "expected"),
    [  # RFC 5869, appendix A, cases 1 and 3
        (
            "0b" * 22,
            "000102030405060708090a0b0c",
            "f0f1f2f3f4f5f6f7f8f9",
            42,
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            "0b" * 22,
            "",
            "",
            42,
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ],
)
def test_hkdf_gives_the_vectors_of_its_standard(ikm, salt, info, length, expected):
    got = hkdf(bytes.fromhex(ikm), salt=bytes.fromhex(salt), info=bytes.fromhex(info), length=length)
    assert got.hex() == expected


def test_a_seed_is_what_two_plain_hmacs_give():
    seed = derive_seed(SECRET, protocol_hash=PROTOCOL, stage="main", roster_hash=ROSTER, public_round=ROUND)
    extracted = hmac.digest(bytes.fromhex(ROSTER), SECRET + bytes.fromhex(ROUND.randomness), "sha256")
    info = b"equipoise/1/" + PROTOCOL.encode() + b"/main"
    assert seed.value == hmac.digest(extracted, info + b"\1", "sha256")
    assert seed.commitment == hashlib.sha256(SECRET).hexdigest() == commitment(SECRET)


def test_only_a_public_round_clears_a_seed_of_having_been_chosen():
    public = derive_seed(SECRET, protocol_hash=PROTOCOL, stage="main", roster_hash=ROSTER, public_round=ROUND)
    alone = derive_seed(SECRET, protocol_hash=PROTOCOL, stage="main", roster_hash=ROSTER)
    given = given_seed("00" * 32)
    assert [seed.could_have_been_chosen for seed in (public, alone, given)] == [False, True, True]
    assert given.source == "given on the command line: tests and rehearsals only"
    assert len({public.value, alone.value}) == 2


def test_a_seed_depends_on_every_part():
    parts = {"protocol_hash": PROTOCOL, "stage": "main", "roster_hash": ROSTER, "public_round": ROUND}
    changes = [
        {},
        {"protocol_hash": "00" * 32},
        {"stage": "second"},
        {"roster_hash": None},
        {"public_round": None},
    ]
    assert len({derive_seed(SECRET, **(parts | change)).value for change in changes}) == len(changes)


def test_a_seed_is_not_shown_when_printed():
    assert "0" * 16 not in repr(given_seed("00" * 32)).split("commitment")[0]


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0, 121), (1, 122), (30, 122), (31, 123), (-3600, 1), (-9_000, 1)],
)
def test_the_round_is_the_first_at_least_an_hour_later(seconds, expected):
    genesis = 1_595_431_050
    recorded = datetime.fromtimestamp(genesis, UTC) + timedelta(seconds=seconds)
    assert first_round(recorded, genesis=genesis, period=30) == expected
    elsewhere = recorded.astimezone(timezone(timedelta(hours=5, minutes=45)))
    assert first_round(elsewhere, genesis=genesis, period=30) == expected


@pytest.mark.parametrize(
    "act",
    [
        lambda: derive_seed(b"short", protocol_hash=PROTOCOL, stage="main", roster_hash=ROSTER),
        lambda: derive_seed(SECRET, protocol_hash="x", stage="main", roster_hash=ROSTER),
        lambda: given_seed("beef"),
        lambda: PublicRound.read("17"),
        lambda: PublicRound.read("0:" + "ab" * 32),
        lambda: first_round(datetime(2021, 3, 1), genesis=0, period=30),  # noqa: DTZ001
        lambda: first_round(datetime(2021, 3, 1, tzinfo=UTC), genesis=0, period=0),
    ],
)
def test_what_cannot_make_a_seed_is_refused(act):
    with pytest.raises(InputError):
        act()


def test_a_round_is_read_as_a_command_line_has_it():
    assert PublicRound.read("17:" + "AB" * 32) == PublicRound(17, "ab" * 32)


def test_the_canonical_roster_is_sorted_quoted_and_in_normal_form():
    text = canonical_roster(["p2", "p1"], {"region": ["Zoe\u0308", 'East, "old"']})
    assert text == 'participant,region\np1,"East, ""old"""\np2,Zo\u00eb\n'.encode()
    assert roster_hash(["p2", "p1"], {"region": ["b", "a"]}) == roster_hash(
        ["p1", "p2"], {"region": ["a", "b"]}
    )
    assert roster_hash(["p1", "p2"], {"region": ["b", "a"]}) != roster_hash(
        ["p1", "p2"], {"region": ["a", "b"]}
    )


def test_a_roster_with_a_pseudonym_twice_or_a_short_column_is_refused():
    with pytest.raises(DesignError, match="already in row 1"):
        roster_hash(["p1", "p1"], {})
    with pytest.raises(DesignError, match="1 values for 2 units"):
        roster_hash(["p1", "p2"], {"region": ["a"]})

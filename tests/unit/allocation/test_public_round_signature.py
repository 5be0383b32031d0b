"""The public round's signature: real rounds of the network, and keys of our own in the same scheme."""

import hashlib

import pytest
from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from equipoise.allocation import QUICKNET, PublicRound
from equipoise.allocation.chance.signature import is_signed, randomness_of
from equipoise.errors import InputError

# As the network published them: its addresses /public/1000, /public/1001 and /public/657413.
ROUNDS = {
    1000: "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
    1001: "b33bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41",
    657413: "b713718a38ae728dfd477991af2822e08d2f305e47718cef9f7848ce4050e7be41076862b98fad56e91a6b85b89cd97b",
}
VALUES = {
    1000: "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd",
    657413: "fc1873a13f3545aeade8401532ef5519920652eee6b0d2b19ca12643b87b3587",
}
SUITE = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"


def signed_by(key, number):
    """A signature by a key of our own."""
    hashed = G1Point.hash_to_curve(hashlib.sha256(number.to_bytes(8, "big")).digest(), SUITE)
    return (hashed * Scalar(key)).to_compressed_bytes().hex()


@pytest.mark.parametrize("number", ROUNDS)
def test_a_round_of_the_network_is_signed_by_its_key(number):
    assert is_signed(number, ROUNDS[number], QUICKNET.public_key)
    assert not is_signed(number + 1, ROUNDS[number], QUICKNET.public_key)


@pytest.mark.parametrize("number", VALUES)
def test_a_rounds_value_is_what_its_signature_gives(number):
    assert randomness_of(ROUNDS[number]) == VALUES[number]
    found = QUICKNET.read(f"{number}:{VALUES[number].upper()}:{ROUNDS[number]}")
    assert (found.number, found.randomness, found.signature) == (number, VALUES[number], ROUNDS[number])
    assert (found.genesis, found.period) == (QUICKNET.genesis, QUICKNET.period)


def test_another_key_signs_in_the_same_scheme_and_is_not_the_networks():
    key = (G2Point() * Scalar(271828)).to_compressed_bytes().hex()
    signature = signed_by(271828, 4242)
    assert is_signed(4242, signature, key)
    assert not is_signed(4242, signature, QUICKNET.public_key)
    with pytest.raises(InputError, match="round 4242 with this value was not signed by drand quicknet"):
        QUICKNET.read(f"4242:{randomness_of(signature)}:{signature}")


@pytest.mark.parametrize(
    "signature",
    [
        "00" * 48,  # no point
        "c0" + "00" * 47,  # the point at infinity, which would be signed by a key of zero
        "80" + "00" * 47,  # on the curve, but not in the group
        ROUNDS[1001],
    ],
)
def test_what_is_no_signature_of_the_round_is_refused(signature):
    assert not is_signed(1000, signature, QUICKNET.public_key)


def test_a_value_that_its_signature_does_not_give_is_refused():
    with pytest.raises(InputError, match="was not signed by drand quicknet"):
        QUICKNET.public_round(1000, "ab" * 32, ROUNDS[1000])


def test_a_number_that_no_round_can_have_is_signed_by_nobody():
    assert not QUICKNET.signed(PublicRound(2**64, VALUES[1000], signature=ROUNDS[1000]))


def test_without_a_signature_nothing_is_claimed_of_the_beacon():
    found = QUICKNET.read(f"1000:{VALUES[1000]}")
    assert (found.genesis, found.signature) == (None, None)
    assert not QUICKNET.signed(found)


@pytest.mark.parametrize(
    "text",
    ["1000", "1000:", f"1000:{VALUES[1000]}:ab", f"1000:{VALUES[1000]}:{ROUNDS[1000]}:", "9" * 30 + ":ab"],
)
def test_a_round_that_is_written_otherwise_is_refused(text):
    with pytest.raises(InputError, match="hexadecimal digits"):
        QUICKNET.read(text)

"""The signature of a public round: that a value is the beacon's own, checked without a network.

Scheme of drand's quicknet ("bls-unchained-g1-rfc9380"): a signature of BLS on the curve BLS12-381, 48 bytes
in G1, by a key of 96 bytes in G2. The message is SHA-256 of the round's number in eight bytes, most
significant first; it is hashed to the curve by RFC 9380. The round's randomness is SHA-256 of the signature.
Boneh, Lynn & Shacham (2001), J. Cryptology 17:297.
"""

import hashlib

__all__ = ["is_signed", "randomness_of"]

_SUITE = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"


def randomness_of(signature: str) -> str:
    """The randomness that a signature gives, in hexadecimal."""
    return hashlib.sha256(bytes.fromhex(signature)).hexdigest()


def is_signed(number: int, signature: str, public_key: str) -> bool:
    """Whether a signature of a round is by a key.

    Args:
        number: of the round.
        signature: 96 hexadecimal digits.
        public_key: of the beacon, 192 hexadecimal digits.
    """
    from py_arkworks_bls12381 import GT, G1Point, G2Point

    if number >= 2**64:
        return False
    message = hashlib.sha256(number.to_bytes(8, "big")).digest()
    try:
        point = G1Point.from_compressed_bytes(bytes.fromhex(signature))
    except ValueError:
        return False  # no point of the curve, so nobody's signature
    key = G2Point.from_compressed_bytes(bytes.fromhex(public_key))
    hashed = G1Point.hash_to_curve(message, _SUITE)
    return bool(GT.pairing_check([point, -hashed], [G2Point(), key]))

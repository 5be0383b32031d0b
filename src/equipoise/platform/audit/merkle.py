"""Merkle trees: one hash over many rows, from which none can be taken and to which none can be added.

RFC 6962, section 2.1: a leaf is hashed behind a zero byte, a node behind a one; a list of n leaves is split
at the largest power of two below n.
"""

import hashlib
from collections.abc import Sequence

__all__ = ["merkle_root"]


def merkle_root(leaves: Sequence[bytes]) -> str:
    """The root over these leaves, in their order, as 64 hexadecimal digits.

    >>> merkle_root([]) == hashlib.sha256(b"").hexdigest()
    True
    """
    level = [hashlib.sha256(b"\0" + leaf).digest() for leaf in leaves]
    if not level:
        return hashlib.sha256(b"").hexdigest()
    # Pairing neighbours level by level and carrying an odd last one up gives the tree of the RFC.
    while len(level) > 1:
        paired = [
            hashlib.sha256(b"\1" + level[place] + level[place + 1]).digest()
            for place in range(0, len(level) - 1, 2)
        ]
        level = paired + level[len(level) - len(level) % 2 :]
    return level[0].hex()

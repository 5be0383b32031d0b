"""Keeping what people told us about themselves: envelope encryption and keyed digests.

Each participant has a data key of their own. It encrypts their contact details and is itself stored wrapped
by a key of the workspace. Destroying the data key makes the details unreadable from then on; a backup made
before still holds it, until the workspace's key that wraps it there is rotated and deleted. What is encrypted
is bound to the participant and the field by additional data, so that two people's ciphertexts cannot be
exchanged.

AES-256-GCM: NIST SP 800-38D. The layout is the name of the wrapping key, a colon, and, in base 64, 12 bytes
of nonce, the ciphertext and 16 bytes of tag.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from equipoise.errors import CheckFailedError

__all__ = [
    "digest",
    "new_data_key",
    "open_bytes",
    "open_sealed",
    "seal",
    "seal_bytes",
    "token",
    "token_hash",
    "unwrap",
    "wrap",
]

_NONCE = 12
_KEY = 32
_TOKEN = 20  # 160 random bits in a link


def new_data_key() -> bytes:
    """A participant's data key: 32 random bytes."""
    return secrets.token_bytes(_KEY)


def wrap(data_key: bytes, keys: Mapping[str, bytes], owner: str) -> str:
    """A data key encrypted by the newest of the workspace's keys, for the participant whose it is."""
    name = list(keys)[-1]
    return f"{name}:{_encrypted(keys[name], data_key, f'data-key/{owner}')}"


def unwrap(wrapped: str, keys: Mapping[str, bytes], owner: str) -> bytes:
    """The data key again.

    Raises:
        CheckFailedError: the wrapping key is missing, or this is not what it wrapped for this participant.
    """
    name, _, text = wrapped.partition(":")
    if name not in keys:
        raise CheckFailedError(f"the key {name} is missing, so contact details cannot be read; put it back")
    return _decrypted(keys[name], text, f"data-key/{owner}")


def seal(data_key: bytes, text: str, owner: str, field: str) -> str:
    """A text encrypted for one participant and one field."""
    return _encrypted(data_key, text.encode(), f"{field}/{owner}")


def open_sealed(data_key: bytes, sealed: str, owner: str, field: str) -> str:
    """The text again.

    Raises:
        CheckFailedError: it was changed, or belongs to somebody else or another field.
    """
    return _decrypted(data_key, sealed, f"{field}/{owner}").decode()


def seal_bytes(data_key: bytes, content: bytes, owner: str, field: str) -> bytes:
    """A file encrypted for one owner and one field: nonce, ciphertext and tag."""
    nonce = secrets.token_bytes(_NONCE)
    return nonce + AESGCM(data_key).encrypt(nonce, content, f"{field}/{owner}".encode())


def open_bytes(data_key: bytes, sealed: bytes, owner: str, field: str) -> bytes:
    """The file again.

    Raises:
        CheckFailedError: it was changed, or belongs to another owner or field.
    """
    return _opened(data_key, sealed, f"{field}/{owner}")


def digest(key: bytes, purpose: str, text: str) -> str:
    """HMAC-SHA256 of a text for one purpose, to find a row again without storing what it holds."""
    return hmac.new(key, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def token() -> str:
    """A random token for a link, 160 bits, safe in an address."""
    return base64.b32encode(secrets.token_bytes(_TOKEN)).decode("ascii").lower()


@lru_cache(maxsize=4096)
def token_hash(text: str) -> str:
    """What is stored of a token: SHA-256. A token has enough chance in it to need no slow hash."""
    return hashlib.sha256(text.strip().lower().encode()).hexdigest()


def _encrypted(key: bytes, plain: bytes, bound_to: str) -> str:
    nonce = secrets.token_bytes(_NONCE)
    return base64.b64encode(nonce + AESGCM(key).encrypt(nonce, plain, bound_to.encode())).decode("ascii")


def _decrypted(key: bytes, text: str, bound_to: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        raw = b""
    return _opened(key, raw, bound_to)


def _opened(key: bytes, raw: bytes, bound_to: str) -> bytes:
    try:
        return AESGCM(key).decrypt(raw[:_NONCE], raw[_NONCE:], bound_to.encode())
    except (InvalidTag, ValueError):
        message = "an encrypted value does not open: it was changed, or it belongs to another person or key"
        raise CheckFailedError(message) from None

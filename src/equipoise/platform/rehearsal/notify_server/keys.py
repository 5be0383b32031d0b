"""The keys that the server takes, and the tokens that are signed with them."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import jwt

__all__ = ["KeyKind", "Keys", "Refused", "new_id"]

KeyKind = Literal["live", "team", "test"]
_CLOCK_SECONDS = 30


def new_id() -> str:
    """An id of 128 random bits, written as Notify writes its own."""
    digits = secrets.token_hex(16)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


class Refused(Exception):
    """A request is answered with an error: its status and what Notify calls it."""

    def __init__(self, status: int, error: str, message: str) -> None:
        super().__init__(message)
        self.status, self.error, self.message = status, error, message

    @property
    def body(self) -> dict[str, object]:
        """As Notify words an error."""
        return {"status_code": self.status, "errors": [{"error": self.error, "message": self.message}]}


@dataclass(frozen=True)
class Keys:
    """One key of each kind, all of one service.

    Attributes:
        service: its id, which stands in every key and says in every token who made it.
        secrets: of each kind.
    """

    service: str
    secrets: Mapping[str, str]

    @classmethod
    def new(cls) -> "Keys":
        """Keys of a service that nobody else has."""
        return cls(new_id(), {kind: new_id() for kind in ("live", "team", "test")})

    @classmethod
    def of(cls, key: str, kind: KeyKind = "test") -> "Keys":
        """Keys of which one is given as it is written; the others are new."""
        service, secret = key[-73:-37], key[-36:]
        return cls(service, {**cls.new().secrets, kind: secret})

    def key(self, kind: KeyKind) -> str:
        """A key as Notify hands it out: its name, the service and the secret."""
        return f"{kind}_key-{self.service}-{self.secrets[kind]}"

    def kind(self, authorisation: str, now: float) -> KeyKind:
        """Whose token this is.

        Args:
            authorisation: the header of the request.
            now: seconds since 1970; a token of another time is refused.
        Raises:
            Refused: there is none, it is signed by no key of ours, or the caller's clock is wrong.
        """
        scheme, _, token = authorisation.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(401, "AuthError", "Unauthorized: authentication bearer scheme must be used")
        for kind, secret in self.secrets.items():
            try:
                claims = jwt.decode(token, secret, algorithms=["HS256"], options={"verify_iat": False})
            except jwt.PyJWTError:
                continue
            if claims.get("iss") == self.service:
                _check_clock(claims.get("iat"), now)
                return kind  # type: ignore[return-value]
        raise Refused(403, "AuthError", "Invalid token: API key not found")


def _check_clock(made: object, now: float) -> None:
    if not isinstance(made, int | float) or abs(made - now) > _CLOCK_SECONDS:
        message = f"Error: Your system clock must be accurate to within {_CLOCK_SECONDS} seconds"
        raise Refused(403, "AuthError", message)

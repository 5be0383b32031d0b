"""Every address of the interface and the verb that it needs. What is not listed here cannot be reached."""

from dataclasses import dataclass

__all__ = ["ADDRESSES", "OPEN", "PREFIX", "TABLE", "Address"]

PREFIX = "/api/1/"


@dataclass(frozen=True)
class Address:
    """What an address needs.

    Attributes:
        verb: of `permissions.PERMISSIONS`.
        by_partner: whether a service of one partner may use it; it then reaches that partner's people only.
    """

    verb: str
    by_partner: bool = False


TABLE: dict[str, Address] = {
    "api-study": Address("study.see", by_partner=True),
    "api-counts": Address("surveys.response", by_partner=True),
    "api-rosters": Address("people.import", by_partner=True),
    "api-exports": Address("data.export"),
    "api-export": Address("data.export"),
    "api-export-file": Address("data.export"),
}
ADDRESSES: dict[str, str] = {name: address.verb for name, address in TABLE.items()}
OPEN = frozenset({"api-document", "api-nowhere"})  # say nothing of any study, and need no token

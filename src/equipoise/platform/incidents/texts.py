"""What was written of an incident, sealed under a key of its own for each statement."""

import json
from dataclasses import asdict, dataclass

from django.conf import settings

from equipoise.platform.crypto import digest, new_data_key, open_sealed, seal, unwrap, wrap
from equipoise.platform.incidents.models import Statement, StatementText
from equipoise.platform.people.contacts import wrapping_keys

__all__ = ["Texts", "digests_of", "rewrap_texts", "sealed_texts", "texts_of"]

_FIELD = "incident"


@dataclass(frozen=True)
class Texts:
    """What was written in sentences.

    Attributes:
        happened: what happened.
        done: what was done about it.
        why: why it was corrected or opened again; empty in the first statement.
    """

    happened: str = ""
    done: str = ""
    why: str = ""


def sealed_texts(statement: Statement, texts: Texts) -> tuple[StatementText, dict[str, str]]:
    """The texts under a new data key, not yet stored, and what the record may say of them.

    Args:
        statement: whose they are, stored, with its incident and the participant named.
        texts: as written.
    """
    key, owner = new_data_key(), _owner(statement)
    written = json.dumps(asdict(texts), ensure_ascii=False, sort_keys=True)
    kept = StatementText(
        statement=statement,
        data_key=wrap(key, wrapping_keys(), owner),
        sealed=seal(key, written, owner, _FIELD),
    )
    return kept, _digests(statement, key, written)


def texts_of(statement: Statement) -> Texts | None:
    """What was written; None where it was erased.

    Args:
        statement: with its incident and, to spare a question of the database, its text.
    Raises:
        CheckFailedError: the key is missing or another one, or the text was changed.
    """
    opened = _opened(statement)
    return None if opened is None else Texts(**json.loads(opened[1]))


def digests_of(statement: Statement) -> dict[str, str]:
    """What the record says of the texts and of who is named, computed again; empty where they were erased.

    Raises:
        CheckFailedError: as `texts_of`.
    """
    opened = _opened(statement)
    return {} if opened is None else _digests(statement, *opened)


def rewrap_texts() -> int:
    """Wrap the key of every text by the newest of the workspace's keys; inside the rotation's transaction."""
    keys = settings.WORKSPACE.contact_keys()
    older = StatementText.objects.exclude(data_key__startswith=f"{list(keys)[-1]}:")
    rows = list(older.select_related("statement__incident").select_for_update(of=("self",)))
    for row in rows:
        owner = _owner(row.statement)
        row.data_key = wrap(unwrap(row.data_key, keys, owner), keys, owner)
    StatementText.objects.bulk_update(rows, ["data_key"], batch_size=500)
    return len(rows)


def _opened(statement: Statement) -> tuple[bytes, str] | None:
    """The data key and what it protects."""
    kept = getattr(statement, "text", None)
    if kept is None:
        return None
    owner = _owner(statement)
    key = unwrap(kept.data_key, wrapping_keys(), owner)
    return key, open_sealed(key, kept.sealed, owner, _FIELD)


def _digests(statement: Statement, key: bytes, written: str) -> dict[str, str]:
    """Keyed by the data key: once that is gone, nobody can try whether a text, or somebody, was the one."""
    named = statement.participant.key if statement.participant is not None else ""
    return {
        "participant": digest(key, "participant", named) if named else "",
        "text": digest(key, "text", written),
    }


def _owner(statement: Statement) -> str:
    return f"{statement.incident.code}/{statement.number}"

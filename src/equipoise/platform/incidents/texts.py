"""What was written of an incident, sealed under a key of its own for each statement."""

import json
from dataclasses import asdict, dataclass

from django.conf import settings

from equipoise.platform.crypto import digest, new_data_key, open_sealed, seal, unwrap, wrap
from equipoise.platform.incidents.models import Statement, StatementText
from equipoise.platform.people.contacts import wrapping_keys

__all__ = ["Texts", "rewrap_texts", "sealed_texts", "texts_of"]

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

    The digests are keyed by the data key: once it is destroyed, nobody can try whether a text, or a
    participant, was the one.

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
    named = statement.participant.key if statement.participant is not None else ""
    return kept, {
        "participant": digest(key, "participant", named) if named else "",
        "text": digest(key, "text", written),
    }


def texts_of(statement: Statement) -> Texts | None:
    """What was written; None where it was erased.

    Args:
        statement: with its incident and, to spare a question of the database, its text.
    Raises:
        CheckFailedError: the key is missing or another one, or the text was changed.
    """
    kept = getattr(statement, "text", None)
    if kept is None:
        return None
    owner = _owner(statement)
    key = unwrap(kept.data_key, wrapping_keys(), owner)
    return Texts(**json.loads(open_sealed(key, kept.sealed, owner, _FIELD)))


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


def _owner(statement: Statement) -> str:
    return f"{statement.incident.code}/{statement.number}"

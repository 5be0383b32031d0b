"""A workspace: the folder in which studies are lived, with its settings, its keys and its database.

WORKSPACE/
  workspace.yaml        what the workspace is; no secret in it
  keys/                 one file a key, readable by their owner alone; kept apart from backups of the rest
  database.sqlite3      unless DATABASE_URL names a PostgreSQL
  studies/ID/NUMBER/    each locked folder as it came in; an amendment is the next number
  static/               style sheets, gathered at the start
"""

import os
import secrets
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, field_validator

from equipoise.errors import EquipoiseError, InputError, Problem
from equipoise.protocol.reading import read_yaml
from equipoise.protocol.times import parse_duration
from equipoise.record import Identifier, Record, Text

__all__ = ["Mail", "SignOn", "StaffSignIn", "Workspace", "activate", "create_workspace", "open_workspace"]

SETTINGS = "workspace.yaml"
KEY_FILES = ("signing", "lookup", "contacts-1")
_BYTES = 32
Https = Annotated[str, StringConstraints(pattern=r"^https://[^\s?#@]+$")]
# Plain on this machine alone.
Store = Annotated[
    str, StringConstraints(pattern=r"^(https://|http://(localhost|127\.0\.0\.1)(:\d+)?(/|$))[^\s?#@]*$")
]
# Stands in the headers of mail, which have one line.
Line = Annotated[Text, AfterValidator(lambda text: " ".join(text.split()))]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z0-9_]*$")]


class Mail(Record):
    """The server that carries the workspace's own mail, such as a link asked for again.

    The password comes from EQUIPOISE_MAIL_PASSWORD, never from this file.
    """

    host: Text
    port: int = 587
    sender: Line
    name: Line | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"


class Notify(Record):
    """GOV.UK Notify, for e-mail and text messages. The keys come from the environment, never from this file.

    `key-from` names the variable that holds the API key, `callback-from` the one that holds the bearer token
    by which Notify's own calls are known. The two templates are of one field each besides the subject:
    `((subject))` and `((body))`. `price` is of one part of a text, in pounds. `key` says which kind of key it
    is, which cannot be seen from outside: with a `test` key nothing reaches anybody.
    """

    key: Literal["live", "test"] | None = None
    address: Text = "https://api.notifications.service.gov.uk"
    key_from: Variable = "EQUIPOISE_NOTIFY_KEY"
    callback_from: Variable = "EQUIPOISE_NOTIFY_CALLBACK"
    email_template: Text | None = None
    sms_template: Text | None = None
    sms_sender: Text | None = None
    price: float = Field(default=0.0233, gt=0)


class Limits(Record):
    """What a carrier takes at most. Sends are planned under it, and staff are told before it does not do."""

    per_minute: int | None = Field(default=None, ge=1)
    per_day: int | None = Field(default=None, ge=1)


class Carriers(Record):
    """Who carries the messages of studies, by channel, and at most how many."""

    email: Literal["smtp", "notify"] | None = None
    sms: Literal["notify"] | None = None
    letter: Literal["post"] | None = "post"
    limits: dict[Literal["smtp", "notify"], Limits] = Field(default_factory=dict)


class Watching(Record):
    """Who is told when messages part from the plan, and by which other mail server than that of the messages.

    Its password comes from EQUIPOISE_ALARM_PASSWORD. Without a server they go to the log and the health page.
    """

    tell: tuple[Text, ...] = ()
    mail: Mail | None = None
    after_minutes: int = Field(default=60, ge=5)


class Bucket(Record):
    """A bucket of an S3-compatible store: films and papers of studies are copied there, and served from it.

    `endpoint` is the store's address; left out, it is Amazon's. The two keys come from the environment, from
    the variables that `key-from` and `secret-from` name; where they are not set, from the machine's own role.
    """

    bucket: Text
    endpoint: Store | None = None
    region: Text | None = None
    folder: Text = "media"
    key_from: Variable = "EQUIPOISE_MEDIA_KEY"
    secret_from: Variable = "EQUIPOISE_MEDIA_SECRET"  # noqa: S105  (a name)


class SignOn(Record):
    """Whoever says who a member of staff is, by OpenID Connect: the sign-in that they have elsewhere.

    `server` is the address below which `/.well-known/openid-configuration` lies, `secret-from` the variable
    of the environment that holds the client's secret. The second factor is `ours`, asked after coming back,
    or the `provider`'s, whose word is taken that it was given.
    """

    name: Text
    server: Https
    client_id: Text
    secret_from: Variable
    second_factor: Literal["ours", "provider"] = "ours"


class StaffSignIn(Record):
    """How staff sign in, besides a password and a second factor of our own.

    `breached-passwords` is the address of a list of passwords known from thefts, such as
    `https://api.pwnedpasswords.com/range`. It is asked about new passwords, by a part of their hash.
    """

    oidc: SignOn | None = None
    breached_passwords: Https | None = None


class WorkspaceSettings(Record):
    """`workspace.yaml`.

    `origin` is the address under which people reach the workspace; every link that is sent begins with it.
    In a `rehearsal` the clock is a row of the database and nobody real takes part. `proxies` are the
    addresses whose word on the caller's address and on TLS is taken. `metrics` are the addresses, besides
    this machine, that may read the counts at `/metrics`. `backups-kept` is how long backups are kept before
    somebody deletes them, such as `5 weeks`: a certificate of deletion says it. `media` names a bucket that
    serves films and papers; without one the folders of the studies do.
    """

    equipoise: Literal[1]
    name: Line = "Equipoise"
    mode: Literal["live", "rehearsal"] = "live"
    origin: Text = "http://localhost:8000"
    proxies: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    contact: Text | None = None
    programmes: dict[Identifier, Text] = Field(default_factory=dict)
    mail: Mail | None = None
    carriers: Carriers = Carriers()
    notify: Notify | None = None
    watching: Watching = Watching()
    sign_in: StaffSignIn = StaffSignIn()
    backups_kept: Text | None = None
    media: Bucket | None = None

    @field_validator("backups_kept")
    @classmethod
    def _length(cls, given: str | None) -> str | None:
        try:
            return None if given is None else parse_duration(given).text
        except EquipoiseError as error:
            raise ValueError(str(error)) from None


class Workspace:
    """An opened workspace.

    Attributes:
        folder: where it lies.
        settings: what `workspace.yaml` says.
    """

    def __init__(self, folder: Path, settings: WorkspaceSettings) -> None:
        self.folder = folder
        self.settings = settings

    @property
    def live(self) -> bool:
        """Whether real people take part, by the real clock."""
        return self.settings.mode == "live"

    @property
    def database_url(self) -> str | None:
        """The PostgreSQL in use; None for the file in the folder."""
        return os.environ.get("DATABASE_URL") or None

    @property
    def studies(self) -> Path:
        """Where the locked folders lie."""
        return self.folder / "studies"

    def key(self, name: str) -> bytes:
        """A key of the workspace, 32 bytes, from its file or from EQUIPOISE_KEY_NAME in hexadecimal.

        Raises:
            InputError: there is no such key, or it is not 64 hexadecimal digits.
        """
        variable = f"EQUIPOISE_KEY_{name.upper().replace('-', '_')}"
        place = self.folder / "keys" / f"{name}.key"
        text = os.environ.get(variable) or (place.read_text("ascii") if place.is_file() else None)
        if text is None:
            message = f"the key is missing; put it back, or give it in {variable}"
            raise InputError(Problem(str(place), "", message))
        try:
            value = bytes.fromhex(text.strip())
        except ValueError:
            value = b""
        if len(value) != _BYTES:
            message = f"this is not a key: expected {2 * _BYTES} hexadecimal digits"
            raise InputError(Problem(str(place), "", message))
        return value

    def sign_on_secret(self, named: SignOn) -> str:
        """The secret by which the workspace shows itself to whoever says who staff are.

        Raises:
            InputError: the environment does not hold it.
        """
        secret = os.environ.get(named.secret_from)
        if not secret:
            message = f"{named.secret_from} is not set in the environment; it holds the client's secret"
            raise InputError(Problem(str(self.folder / SETTINGS), "sign-in.oidc.secret-from", message))
        return secret

    def contact_keys(self) -> dict[str, bytes]:
        """The keys that wrap the data keys of participants, by name, oldest first; the last one is in use."""
        found = {path.stem for path in (self.folder / "keys").glob("contacts-*.key")}
        found |= {
            name.removeprefix("EQUIPOISE_KEY_").lower().replace("_", "-")
            for name in os.environ
            if name.startswith("EQUIPOISE_KEY_CONTACTS_")
        }
        numbered = [name for name in found if name.removeprefix("contacts-").isdigit()]
        return {name: self.key(name) for name in sorted(numbered, key=lambda name: int(name.split("-")[1]))}

    def add_contact_key(self) -> str:
        """A new key to wrap data keys with; `rotate` then re-wraps what the older ones hold.

        Returns:
            Its name.
        """
        names = self.contact_keys()
        number = max((int(name.split("-")[1]) for name in names), default=0) + 1
        write_key(self.folder / "keys" / f"contacts-{number}.key")
        return f"contacts-{number}"


def create_workspace(folder: Path, *, mode: Literal["live", "rehearsal"] = "live") -> Workspace:
    """Open a workspace, making what is missing of its settings and, where it is new, its keys.

    Keys are only made together with the workspace: a key that is lost later is never replaced in silence,
    because what it protects could then not be read any more.

    Args:
        folder: made where it does not exist.
        mode: of a new workspace.
    Raises:
        InputError: the folder is not empty and no workspace, or it cannot be written to.
    """
    place = folder / SETTINGS
    if not place.is_file():
        if folder.exists() and any(folder.iterdir()):
            message = (
                "the folder is not empty and holds no workspace.yaml; name a new folder, or the workspace"
            )
            raise InputError(Problem(str(folder), "", message))
        for part in (folder, folder / "keys", folder / "studies", folder / "static"):
            part.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name in KEY_FILES:
            write_key(folder / "keys" / f"{name}.key")
        place.write_text(_NEW.format(mode=mode), encoding="utf-8")
    return open_workspace(folder)


def open_workspace(folder: Path) -> Workspace:
    """Open a workspace that is there.

    Raises:
        InputError: there is none, or its settings are wrong; each fault with its line.
    """
    place = folder / SETTINGS
    if not place.is_file():
        message = "there is no workspace here; `equipoise serve WORKSPACE` makes one"
        raise InputError(Problem(str(folder), "", message))
    settings = read_yaml(place.read_text("utf-8"), str(place)).parse(WorkspaceSettings)
    return Workspace(folder.resolve(), settings)


def activate(workspace: Workspace) -> None:
    """Make Django ready for this workspace; once a process."""
    os.environ["EQUIPOISE_WORKSPACE"] = str(workspace.folder)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "equipoise.platform.settings")
    import django

    django.setup()


def write_key(place: Path) -> None:
    """A new random key in a file that only its owner may read; an existing one is never overwritten."""
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(_BYTES) + "\n")


_NEW = """\
# What this workspace is. No secret is written here: keys lie in keys/, passwords come from the environment.
equipoise: 1
name: Equipoise
mode: {mode}                           # live, or rehearsal: a clock of its own, nobody real
origin: http://localhost:8000        # the address under which people reach it; every link begins with it
# contact: trials@example.org        # whom a visitor without a study can ask
# proxies: [127.0.0.1]               # proxies that may say who called and that TLS was used
# metrics: [192.0.2.7]               # who may read the counts at /metrics, besides this machine
# backups-kept: 5 weeks              # how long backups are kept; certificates of deletion say it
# mail: {{host: smtp.example.org, port: 587, sender: study@example.org}}   # password: EQUIPOISE_MAIL_PASSWORD
# carriers: {{email: smtp, sms: notify}}   # who carries the messages of studies
# notify: {{key: live, email-template: ID, sms-template: ID}}   # key: EQUIPOISE_NOTIFY_KEY
# watching: {{tell: [lead@example.org]}}   # who is told when messages part from the plan
# media: {{bucket: films}}             # serves films; keys: EQUIPOISE_MEDIA_KEY, EQUIPOISE_MEDIA_SECRET
# sign-in:                           # besides passwords, as staff sign in elsewhere
#   oidc: {{name: Example, server: https://login.example.org, client-id: study, secret-from: OIDC_SECRET}}
"""

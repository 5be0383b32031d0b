"""Whether the workspace's mail would go out and be taken: a greeting without a message, and two records."""

import smtplib
import ssl
from collections.abc import Iterator

import dns.exception
import dns.resolver
from django.core.mail import get_connection

from equipoise.platform.operations.checks.finding import Finding, good, note, wrong
from equipoise.platform.workspace import Workspace

__all__ = ["mail_server", "sender_domain"]

_SMTP = "django.core.mail.backends.smtp.EmailBackend"
_DNS_SECONDS = 4.0
_LONGEST_WALK = 5


def mail_server(workspace: Workspace) -> Iterator[Finding]:
    """Greet the mail server as for a message, with TLS and password, and take leave without sending one."""
    mail = workspace.settings.mail
    if mail is None:
        said = "no mail server is named: links that people ask for again are not sent"
        yield note("mail", said, "fill in mail in workspace.yaml, if they should be")
        return
    place = f"{mail.host}:{mail.port}"
    carrier = get_connection(_SMTP)
    try:
        carrier.open()
        carrier.connection.noop()
    except (OSError, smtplib.SMTPException) as error:
        yield wrong("mail", f"{place} {_why(error)}", _remedy(error))
    else:
        yield good("mail", f"{place} greets us by {mail.security}; nothing was sent")
    finally:
        carrier.close()


def sender_domain(workspace: Workspace) -> Iterator[Finding]:
    """Whether the sender's domain says who may send for it. Keys of DKIM cannot be seen from outside."""
    mail = workspace.settings.mail
    if mail is None:
        return
    domain = mail.sender.rpartition("@")[2].strip("> ").lower()
    try:
        spf = [text for text in _texts(domain) if text.lower().startswith("v=spf1")]
        dmarc = _dmarc(domain)
    except dns.exception.DNSException:
        yield note(
            "sender", f"{domain} could not be looked up from here, so SPF and DMARC were not looked at"
        )
        return
    if len(spf) != 1:
        said = f"{domain} has {len(spf) or 'no'} SPF records, and should have one"
        yield wrong("sender", said, "have a TXT record v=spf1 added that names your mail server")
    if not dmarc:
        said = f"{domain} has no DMARC record, so large mailbox providers refuse much of its mail"
        yield wrong(
            "sender", said, f"have a TXT record at _dmarc.{domain} added, with v=DMARC1; p=none at least"
        )
    if len(spf) == 1 and dmarc:
        yield good("sender", f"{domain} has SPF and DMARC; see to DKIM where the mail server signs")


def _texts(name: str) -> list[str]:
    try:
        found = dns.resolver.resolve(name, "TXT", lifetime=_DNS_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    return [b"".join(each.strings).decode("utf-8", "replace") for each in found]


def _dmarc(domain: str) -> bool:
    """The domain's own record, or that of one above it."""
    parts = domain.split(".")[-_LONGEST_WALK:]
    above = [".".join(parts[at:]) for at in range(max(1, len(parts) - 1))]
    return any(text.lower().startswith("v=dmarc1") for name in above for text in _texts(f"_dmarc.{name}"))


def _why(error: Exception) -> str:
    """In our words: a server's own may repeat what it was told."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"has a certificate that cannot be trusted ({error.verify_message})"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"refuses the name or the password (code {error.smtp_code})"
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "does not offer what is asked of it (STARTTLS, or signing in)"
    if isinstance(error, smtplib.SMTPResponseException):
        return f"refuses us (code {error.smtp_code})"
    if isinstance(error, TimeoutError):
        return "does not answer"
    return f"cannot be reached ({type(error).__name__})"


def _remedy(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "set EQUIPOISE_MAIL_USER and EQUIPOISE_MAIL_PASSWORD anew; a password may have expired"
    return "look at host, port and security under mail in workspace.yaml, and at the way there"

"""What signing in leaves in the log: a line for each event, with numbers in place of names."""

import logging
from typing import Any

from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed

from equipoise.platform.staff.store import SessionStore

__all__ = ["connect"]

_log = logging.getLogger("equipoise.staff")


def connect() -> None:
    """Listen to the events of signing in."""
    user_logged_in.connect(_signed_in, dispatch_uid="staff.signed-in")
    user_logged_out.connect(_signed_out, dispatch_uid="staff.signed-out")
    user_login_failed.connect(_refused, dispatch_uid="staff.refused")
    authenticator_added.connect(_added, dispatch_uid="staff.factor-added")
    authenticator_removed.connect(_removed, dispatch_uid="staff.factor-removed")


def _signed_in(sender: Any, *, user: Any, **_: Any) -> None:
    SessionStore.clear_expired()
    _log.info("%s signed in", user.actor)


def _signed_out(sender: Any, *, user: Any, **_: Any) -> None:
    if user is not None:
        _log.info("%s signed out", user.actor)


def _refused(sender: Any, **_: Any) -> None:
    _log.warning("a sign-in was refused")


def _added(sender: Any, *, user: Any, **_: Any) -> None:
    _log.info("%s set up a second factor", user.actor)


def _removed(sender: Any, *, user: Any, **_: Any) -> None:
    _log.info("%s removed a second factor", user.actor)

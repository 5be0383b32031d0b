"""Whom single sign-on lets in: members of staff who have an account, and nobody else.

An account is found by the address that the provider has verified when it is used for the first time, and from
then on by the provider's own name for its owner, so that an address which passes to somebody else opens
nothing.
"""

import logging
from typing import Any

from allauth.account.internal.flows.login import get_authentication_records
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.mfa.stages import AuthenticateStage
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from equipoise.platform.audit.actions import WORKSPACE_CHAIN, record
from equipoise.platform.database import writing
from equipoise.platform.staff.models import StaffMember
from equipoise.platform.staff.provider import PROVIDER

__all__ = ["CodeStage", "SignOnAdapter", "gave_factor_elsewhere", "refused_page"]

_log = logging.getLogger("equipoise.staff")


class SignOnAdapter(DefaultSocialAccountAdapter):
    """One provider, from the workspace's settings; no account is ever made."""

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[SocialApp]:
        """The provider that the settings name, if they name one; none is looked for in the database."""
        oidc = settings.WORKSPACE.settings.sign_in.oidc
        if oidc is None:
            return []
        app = SocialApp(
            provider=PROVIDER,
            provider_id=oidc.server,
            name=oidc.name,
            client_id=oidc.client_id,
            secret=settings.WORKSPACE.sign_on_secret(oidc),
            settings={"server_url": oidc.server.rstrip("/")},
        )
        return [app]

    def get_requests_session(self) -> Any:
        """Certificates are checked and no redirection is followed, as everywhere."""
        session = super().get_requests_session()
        session.max_redirects = 0
        return session

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Never."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find the account of somebody who comes for the first time, or turn them away."""
        if sociallogin.is_existing:
            return
        addresses = [each.email for each in sociallogin.email_addresses if each.verified]
        if not addresses:
            raise _refused(request, "unverified")
        member = StaffMember.objects.filter(email__iexact=addresses[0], is_active=True).first()
        if member is None:
            raise _refused(request, "unknown")
        with writing():
            known = SocialAccount.objects.filter(user=member, provider=sociallogin.account.provider)
            if known.exists():
                raise _refused(request, "taken")
            sociallogin.connect(request, member)
            record(WORKSPACE_CHAIN, member.actor, "staff.sign-on", {"member": member.actor})

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: Any = None,
    ) -> None:
        """What goes wrong on the way leads to a page of our own, and to a line of the log."""
        raise _refused(request, "failed", exception)


class CodeStage(AuthenticateStage):
    """The code after the password; not where the provider has asked for a factor, and its word is taken."""

    def _should_handle(self, request: HttpRequest) -> bool:
        return not gave_factor_elsewhere(request, self.login.user) and super()._should_handle(request)


def gave_factor_elsewhere(request: HttpRequest, member: StaffMember) -> bool:
    """Whether this session was opened by a provider whose word is taken that a second factor was given."""
    oidc = settings.WORKSPACE.settings.sign_in.oidc
    if oidc is None or oidc.second_factor != "provider":
        return False
    said = get_authentication_records(request, member)
    return any(each["method"] == "socialaccount" and each.get("provider") == oidc.server for each in said)


def refused_page(request: HttpRequest, why: str, exception: Exception | None = None) -> HttpResponse:
    """What somebody is told whom single sign-on does not let in.

    Args:
        request: what was asked.
        why: `unknown`, `unverified`, `taken` or `failed`.
        exception: what went wrong; its text may name somebody, so the log gets its kind alone.
    """
    detail = f" ({type(exception).__name__})" if exception is not None else ""
    _log.warning("a single sign-on was refused: %s%s", why, detail)
    named = settings.WORKSPACE.settings.sign_in.oidc
    page = {"why": why, "provider": named.name if named is not None else ""}
    return render(request, "account/sign_on_refused.html", page, status=403)


def _refused(request: HttpRequest, why: str, exception: Exception | None = None) -> ImmediateHttpResponse:
    return ImmediateHttpResponse(refused_page(request, why, exception))

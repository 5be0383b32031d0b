"""Single sign-on by OpenID Connect: what django-allauth leaves open is closed here.

The library does the walk to the provider and back, with a state and PKCE. Added are a nonce, the check of the
ID token's signature, that the provider is the one that the settings name, and that nothing is kept of what it
says but a subject. The library finds `provider_classes` in this module by its name.
"""

import hmac
import secrets
from typing import Any

import jwt
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.utils import generate_code_challenge
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

__all__ = ["PROVIDER", "greet", "provider_classes"]

PROVIDER = "single-sign-on"
# What a provider signs with is public; a shared secret, or none, is no signature of theirs.
_SIGNATURES = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
_CLOCKS_APART_SECONDS = 60
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_CLAIMS = ["iss", "sub", "aud", "exp", "iat", "nonce"]


class _Conversation(OpenIDConnectOAuth2Adapter):
    """What is said to the provider, and what of its answers is believed."""

    @property
    def openid_config(self) -> dict[str, Any]:
        """What the provider says of itself, once it is certain that it is the one that was named."""
        said = super().openid_config
        if not _is_named(said.get("issuer")):
            raise OAuth2Error("it is another one than the settings name")
        if not all(str(said.get(name, "")).startswith("https://") for name in _ENDPOINTS):
            raise OAuth2Error("it does not speak TLS everywhere")
        return said

    def get_callback_url(self, request: HttpRequest, app: Any) -> str:
        """Where the provider sends them back to: what a request says of its host is never believed."""
        return _back()

    def complete_login(self, request: HttpRequest, app: Any, token: Any, **kwargs: Any) -> Any:
        """Who it is, from an ID token that the provider signed for us and for this one attempt."""
        response = kwargs["response"]
        claims = self._claims(app, str(response.get("id_token") or ""))
        if not hmac.compare_digest(str(claims["nonce"]), _nonce(request.GET.get("state", ""))):
            raise OAuth2Error("the ID token belongs to another attempt")
        if "email" not in claims and "userinfo_endpoint" in self.openid_config:
            further = self._fetch_user_info(token.token)
            if further.get("sub") != claims["sub"]:
                raise OAuth2Error("the provider tells of somebody else")
            claims = {**further, **claims}
        claims["email_verified"] = claims.get("email_verified") in (True, "true")
        return self.get_provider().sociallogin_from_response(request, {"id_token": claims})

    def _claims(self, app: Any, id_token: str) -> dict[str, Any]:
        try:
            claims = jwt.decode(
                id_token,
                self._key(jwt.get_unverified_header(id_token).get("kid")),
                algorithms=_SIGNATURES,
                audience=app.client_id,
                issuer=self.openid_config["issuer"],
                leeway=_CLOCKS_APART_SECONDS,
                options={"require": _CLAIMS},
            )
        except jwt.PyJWTError as error:
            raise OAuth2Error(type(error).__name__) from error
        if claims.get("azp", app.client_id) != app.client_id:
            raise OAuth2Error("the ID token was made for another client")
        return claims

    def _key(self, name: str | None) -> jwt.PyJWK:
        """The key of that name; the only one, where the token names none."""
        with get_adapter().get_requests_session() as session:
            response = session.get(self.openid_config["jwks_uri"])
            response.raise_for_status()
            keys = jwt.PyJWKSet.from_dict(response.json()).keys
        found = [key for key in keys if name in (None, key.key_id)]
        if len(found) != 1:
            raise OAuth2Error("the ID token is signed by a key that the provider does not name")
        return found[0]


class _Provider(OpenIDConnectProvider):
    """The one provider that the workspace's settings name."""

    id = PROVIDER
    oauth2_adapter_class = _Conversation

    def redirect(
        self, request: HttpRequest, process: str, next_url: str | None = None, data: Any = None, **kwargs: Any
    ) -> HttpResponse:
        """Off to the provider, with a nonce that follows from the state."""
        state = secrets.token_urlsafe(32)
        asked = {"nonce": _nonce(state)}
        return super().redirect(request, process, next_url, data, state_id=state, auth_params=asked, **kwargs)

    def get_pkce_params(self) -> dict[str, str]:
        """Always, whatever the provider demands."""
        return generate_code_challenge()

    def get_default_scope(self) -> list[str]:
        """No profile: the name that colleagues know is the one that the account has."""
        return ["openid", "email"]

    def extract_extra_data(self, data: Any) -> dict[str, Any]:
        """Nothing is kept but the subject."""
        return {}


def greet() -> str:
    """Ask the provider that the settings name what it says of itself, without signing anybody in.

    Returns:
        Where it has to send people back to.
    Raises:
        OAuth2Error: it is another one, or does not speak TLS everywhere.
        OSError: it cannot be reached, or not be believed.
    """
    provider = get_adapter().get_provider(None, PROVIDER)
    _ = provider.get_oauth2_adapter(None).openid_config
    return _back()


def _back() -> str:
    return f"{settings.WORKSPACE.settings.origin.rstrip('/')}{reverse('sign-on-done')}"


def _nonce(state: str) -> str:
    """The state is known to the browser that began, and taken once; so is what is derived from it."""
    key = settings.WORKSPACE.key("signing")
    return hmac.digest(key, b"equipoise/sign-on/" + state.encode(), "sha256").hex()


def _is_named(issuer: Any) -> bool:
    named = settings.WORKSPACE.settings.sign_in.oidc
    return named is not None and str(issuer).rstrip("/") == named.server.rstrip("/")


provider_classes = [_Provider]

"""Addresses of signing in: each page of django-allauth that staff need, and no other."""

from allauth.account import views as account
from allauth.mfa.base import views as factor
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as device
from allauth.mfa.webauthn import views as passkey
from django.urls import path, re_path

from equipoise.platform.staff import views

urlpatterns = [
    path("", factor.index, name="mfa_index"),
    path("sign-in", views.SignIn.as_view(), name="account_login"),
    path("sign-on", views.sign_on, name="sign-on"),
    path("sign-on/done", views.sign_on_done, name="sign-on-done"),
    path("sign-out", account.logout, name="account_logout"),
    path("inactive", account.account_inactive, name="account_inactive"),
    path("again", account.reauthenticate, name="account_reauthenticate"),
    path("password", views.ChangePassword.as_view(), name="account_change_password"),
    path("password/reset", account.password_reset, name="account_reset_password"),
    path("password/reset/sent", account.password_reset_done, name="account_reset_password_done"),
    path(
        "password/set/done",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/set/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("sessions", views.sessions, name="staff-sessions"),
    path("code", factor.authenticate, name="mfa_authenticate"),
    path("code/again", factor.reauthenticate, name="mfa_reauthenticate"),
    path("device", views.SetUpApp.as_view(), name="mfa_activate_totp"),
    path("device/picture.svg", views.totp_picture, name="totp-picture"),
    path("device/remove", device.deactivate_totp, name="mfa_deactivate_totp"),
    path("passkeys", passkey.list_webauthn, name="mfa_list_webauthn"),
    path("passkeys/new", passkey.add_webauthn, name="mfa_add_webauthn"),
    path("passkeys/<int:pk>/remove", passkey.remove_webauthn, name="mfa_remove_webauthn"),
    path("recovery-codes", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("recovery-codes/new", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path("recovery-codes/file", codes.download_recovery_codes, name="mfa_download_recovery_codes"),
]

"""Django's settings, from the workspace and the environment; nothing here is edited for one installation.

EQUIPOISE_WORKSPACE     the folder of the workspace
DATABASE_URL            a PostgreSQL in place of the file in the folder
EQUIPOISE_KEY_NAME      a key in place of keys/NAME.key
EQUIPOISE_MAIL_PASSWORD the password of the mail server
"""

import os
from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from equipoise.platform.settings.buckets import bucket_storage
from equipoise.platform.settings.databases import databases
from equipoise.platform.workspace import open_workspace

WORKSPACE = open_workspace(Path(os.environ["EQUIPOISE_WORKSPACE"]))
_ORIGIN = urlsplit(WORKSPACE.settings.origin)
_TLS = _ORIGIN.scheme == "https"

DEBUG = False
SECRET_KEY = WORKSPACE.key("signing").hex()
ALLOWED_HOSTS = sorted(
    {_ORIGIN.hostname or "localhost"} | ({"localhost", "127.0.0.1", "[::1]"} if not _TLS else set())
)
ROOT_URLCONF = "equipoise.platform.urls"
WSGI_APPLICATION = "equipoise.platform.wsgi.application"
DATABASES = databases(WORKSPACE.folder, WORKSPACE.database_url)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "equipoise.platform.audit",
    "equipoise.platform.staff",
    "equipoise.platform.registry",
    "equipoise.platform.services",
    "equipoise.platform.people",
    "equipoise.platform.incidents",
    "equipoise.platform.extracts",
    "equipoise.platform.fieldwork",
    "equipoise.platform.delivery",
    "equipoise.platform.approvals",
    "equipoise.platform.review",
    "equipoise.platform.operations",
    "equipoise.platform.office",
    "equipoise.platform.pages",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "axes",
    "csp",
]
MIDDLEWARE = [
    "equipoise.platform.middleware.TrustedProxies",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "equipoise.platform.middleware.PrivatePages",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "equipoise.platform.staff.sessions.StaffSessions",
    "equipoise.platform.staff.sessions.StaffSecondFactor",
    "axes.middleware.AxesMiddleware",
    "equipoise.platform.middleware.OwnHost",
    "equipoise.platform.middleware.TryAgain",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [],
        "APP_DIRS": False,
        "OPTIONS": {"environment": "equipoise.platform.pages.environment.environment"},
    },
    {
        # django-allauth's and django-axes' own templates, where we have none of our own.
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    },
]

LANGUAGE_CODE = "en-gb"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

# --- Staff -----------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "staff.StaffMember"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "equipoise.platform.staff.breaches.BreachedPasswords"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/office/"
ACCOUNT_ADAPTER = "equipoise.platform.staff.adapter.StaffAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
# django-axes counts failures instead.
ACCOUNT_RATE_LIMITS: dict[str, str] = {"login": "", "login_failed": "", "reauthenticate": ""}
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
SOCIALACCOUNT_ADAPTER = "equipoise.platform.staff.sign_on.SignOnAdapter"
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_EMAIL_AUTHENTICATION = False  # an account is found by our own rule, which keeps its password
SOCIALACCOUNT_AUTO_SIGNUP = False
MFA_ADAPTER = "equipoise.platform.staff.factors.SealedFactors"
MFA_FORMS = {
    "authenticate": "equipoise.platform.staff.factors.CodeForm",
    "reauthenticate": "equipoise.platform.staff.factors.CodeAgainForm",
    "activate_totp": "equipoise.platform.staff.factors.ActivateForm",
    "add_webauthn": "equipoise.platform.staff.passkeys.NewPasskeyForm",
    "authenticate_webauthn": "equipoise.platform.staff.passkeys.PasskeyForm",
}
MFA_TOTP_TOLERANCE = 1  # half-minutes by which a telephone's clock may be wrong
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not _TLS  # passkeys on localhost, for a rehearsal
MFA_TOTP_ISSUER = WORKSPACE.settings.name
MFA_ALLOW_UNVERIFIED_EMAIL = True
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_CALLABLE = "equipoise.platform.staff.attempts.account_of"
AXES_LOCKOUT_CALLABLE = "equipoise.platform.staff.attempts.locked_page"
AXES_SENSITIVE_PARAMETERS = ["login", "username", "ip_address", "email", "password", "code"]
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
SESSION_ENGINE = "equipoise.platform.staff.store"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_SAVE_EVERY_REQUEST = False

# --- What a browser may do -------------------------------------------------------------------------------
SESSION_COOKIE_NAME = "__Host-staff"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
MESSAGE_STORAGE = "equipoise.platform.staff.notices.HostCookieNotices"
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = "__Host-csrf"
CSRF_COOKIE_SECURE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "equipoise.platform.pages.errors.csrf_failure"
CSRF_TRUSTED_ORIGINS = [WORKSPACE.settings.origin]
# With `no-referrer` browsers send no origin either, and then no form could be told from a forged one.
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = _TLS
# Asked from this machine, behind the proxy; and by programs, which are told that they must use TLS.
SECURE_REDIRECT_EXEMPT = ["^(health|health/messages|ready|metrics)$", "^api/"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if _TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if WORKSPACE.settings.proxies else None
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "style-src": [SELF],
        "img-src": [SELF],
        "media-src": [SELF],
        "script-src": [SELF],
        "connect-src": [SELF],
        "font-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Files -----------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = WORKSPACE.folder / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
if WORKSPACE.settings.media:
    STORAGES["media"] = bucket_storage(WORKSPACE.settings.media)
FILE_UPLOAD_HANDLERS = ["equipoise.platform.receiving.StaffUploads"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
DATA_UPLOAD_MAX_NUMBER_FILES = 1  # each is stored before a page sees it
FILE_UPLOAD_PERMISSIONS = 0o600

# --- Mail and logs ---------------------------------------------------------------------------------------
_MAIL = WORKSPACE.settings.mail
EMAIL_BACKEND = (
    "equipoise.platform.operations.held.HoldingBackend"
    if _MAIL
    else "django.core.mail.backends.dummy.EmailBackend"
)
if _MAIL:
    EMAIL_HOST, EMAIL_PORT = _MAIL.host, _MAIL.port
    EMAIL_HOST_USER = os.environ.get("EQUIPOISE_MAIL_USER", "")
    EMAIL_HOST_PASSWORD = os.environ.get("EQUIPOISE_MAIL_PASSWORD", "")
    EMAIL_USE_TLS, EMAIL_USE_SSL = _MAIL.security == "starttls", _MAIL.security == "tls"
    EMAIL_TIMEOUT = 20
    DEFAULT_FROM_EMAIL = f"{_MAIL.name or WORKSPACE.settings.name} <{_MAIL.sender}>"
ADMINS: list[tuple[str, str]] = []
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"no_secrets": {"()": "equipoise.platform.logs.NoSecrets"}},
    "handlers": {
        "console": {
            "class": "equipoise.platform.logs.StandardError",
            "filters": ["no_secrets"],
            "formatter": "plain",
        }
    },
    "formatters": {"plain": {"()": "equipoise.platform.logs.OneLine"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        # Whoever scans the internet would write a line each time.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "axes": {"level": "ERROR"},
    },
}
SILENCED_SYSTEM_CHECKS = [
    "security.W002",  # PrivatePages sends X-Frame-Options
    "security.W021",  # preloading HSTS is the decision of whoever owns the domain
    "security.W005",  # and so are its subdomains
]

"""Where what has just been done is kept until the next page says it."""

from django.contrib.messages.storage.cookie import CookieStorage

__all__ = ["HostCookieNotices"]


class HostCookieNotices(CookieStorage):
    """A signed cookie that no other host of the domain can set."""

    cookie_name = "__Host-notices"

"""Addresses of what messages lead to. Those with a token lead on to one without."""

from django.urls import path

from equipoise.platform.delivery.views import callbacks, player
from equipoise.platform.fieldwork.views.choices import stop_link

urlpatterns = [
    # The button of a mail program (RFC 8058); whoever opens it in a browser sees the page of the stop link.
    path("stop/one-click/<str:token>", stop_link, name="unsubscribe"),
    path("m/watched", player.watched, name="message-watched"),
    path("m/<str:token>", player.landing, name="message-page"),
    path("message/<str:code>/", player.message, name="message"),
    path("message/<str:code>/media/<path:path>", player.media, name="message-media"),
    path("callbacks/notify/receipt", callbacks.receipt, name="notify-receipt"),
    path("callbacks/notify/text", callbacks.text, name="notify-text"),
]

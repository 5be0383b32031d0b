"""Addresses of the pages for participants. Those with a token lead on to one without."""

from django.urls import path

from equipoise.platform.fieldwork.views import again, choices, landing, media, pages

urlpatterns = [
    path("s/<str:token>", landing.personal_link, name="survey-link"),
    path("open/<str:token>", landing.open_link, name="open-link"),
    path("stop/<str:token>", choices.stop_link, name="stop-link"),
    path("survey/<str:code>/", pages.survey, name="survey"),
    path("survey/<str:code>/taking-part", pages.consent, name="survey-consent"),
    path("survey/<str:code>/thanks", pages.thanks, name="survey-thanks"),
    path("survey/<str:code>/saved", pages.later, name="survey-later"),
    path("survey/<str:code>/choices", choices.session_choices, name="survey-choices"),
    path("survey/<str:code>/media/<path:path>", media.media, name="survey-media"),
    path("survey/<str:code>/page/<str:page>", pages.question_page, name="survey-page"),
    path("link/<slug:name>", again.link_again, name="link-again"),
    path("privacy/<slug:name>", again.notice, name="privacy-notice"),
]

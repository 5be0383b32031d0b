"""Every address of the platform."""

from django.urls import include, path

urlpatterns = [
    path("", include("equipoise.platform.health")),
    path("", include("equipoise.platform.fieldwork.urls")),
    path("", include("equipoise.platform.delivery.urls")),
    path("office/", include("equipoise.platform.office.urls")),
    path("api/1/", include("equipoise.platform.api.urls")),
    path("staff/", include("equipoise.platform.staff.urls")),
]
handler400 = "equipoise.platform.pages.errors.bad_request"
handler403 = "equipoise.platform.pages.errors.forbidden"
handler404 = "equipoise.platform.pages.errors.not_found"
handler429 = "equipoise.platform.pages.errors.too_many_requests"
handler500 = "equipoise.platform.pages.errors.server_error"

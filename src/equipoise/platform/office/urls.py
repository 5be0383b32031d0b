"""Addresses of the office pages; what stands below a person comes after what stands below all people."""

from equipoise.platform.office import allocation
from equipoise.platform.office.approvals import identified, request, requests
from equipoise.platform.office.data import exclusions, exports, reviewing, sealing, unmasking
from equipoise.platform.office.extracts import files as extracts_files
from equipoise.platform.office.imports import files as imports_files
from equipoise.platform.office.incidents import forms, incident, log
from equipoise.platform.office.messages import calendar, doubt, occasion, unsent, waiting
from equipoise.platform.office.messages import files as message_files
from equipoise.platform.office.messages import receipts as message_receipts
from equipoise.platform.office.people import entry, everybody, leaving, person
from equipoise.platform.office.staff import member, members, of_study, services
from equipoise.platform.office.studies import overview, protocol, record, retention
from equipoise.platform.office.surveys import links, previews, responses

urlpatterns = [
    *overview.urlpatterns,
    *protocol.urlpatterns,
    *members.urlpatterns,
    *member.urlpatterns,
    *of_study.urlpatterns,
    *services.urlpatterns,
    *everybody.urlpatterns,
    *imports_files.urlpatterns,
    *person.urlpatterns,
    *leaving.urlpatterns,
    *entry.urlpatterns,
    *allocation.urlpatterns,
    *responses.urlpatterns,
    *links.urlpatterns,
    *previews.urlpatterns,
    *calendar.urlpatterns,
    *doubt.urlpatterns,
    *unsent.urlpatterns,
    *occasion.urlpatterns,
    *message_files.urlpatterns,
    *message_receipts.urlpatterns,
    *waiting.urlpatterns,
    *forms.urlpatterns,
    *log.urlpatterns,
    *incident.urlpatterns,
    *extracts_files.urlpatterns,
    *exports.urlpatterns,
    *exclusions.urlpatterns,
    *reviewing.urlpatterns,
    *sealing.urlpatterns,
    *unmasking.urlpatterns,
    *identified.urlpatterns,
    *requests.urlpatterns,
    *request.urlpatterns,
    *record.urlpatterns,
    *retention.urlpatterns,
]

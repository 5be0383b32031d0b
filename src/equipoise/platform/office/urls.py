"""Addresses of the office pages; what stands below a person comes after what stands below all people."""

from equipoise.platform.office import (
    allocation,
    approval,
    approvals,
    entry,
    exports,
    identified,
    imports,
    people,
    person,
    record,
    responses,
    sealing,
    setup,
    studies,
    retention,
    unmasking,
)

urlpatterns = [
    *studies.urlpatterns,
    *setup.urlpatterns,
    *people.urlpatterns,
    *imports.urlpatterns,
    *person.urlpatterns,
    *entry.urlpatterns,
    *allocation.urlpatterns,
    *responses.urlpatterns,
    *exports.urlpatterns,
    *sealing.urlpatterns,
    *unmasking.urlpatterns,
    *identified.urlpatterns,
    *approvals.urlpatterns,
    *approval.urlpatterns,
    *record.urlpatterns,
]
    *retention.urlpatterns,

"""What a worker does besides sending: each duty with its pace."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from equipoise.platform.approvals.actions import expire_requests
from equipoise.platform.delivery.engine.rescue import rescue
from equipoise.platform.delivery.engine.sealing import seal_events
from equipoise.platform.delivery.engine.storing import renew_connection
from equipoise.platform.delivery.files import end_unreported
from equipoise.platform.delivery.planning.planner import plan_due
from equipoise.platform.delivery.planning.sweeping import sweep
from equipoise.platform.delivery.receipts.applying import apply_waiting
from equipoise.platform.delivery.receipts.polling import poll
from equipoise.platform.delivery.watch.counting import count_dispatches
from equipoise.platform.delivery.watch.watching import watch
from equipoise.platform.fieldwork.requests import send_requested_links
from equipoise.platform.fieldwork.sealing import seal_everything
from equipoise.platform.operations.retention.deleting import delete_due
from equipoise.platform.people.pending import drop_expired, drop_left_behind
from equipoise.platform.registry.media import copy_media
from equipoise.platform.review.jobs import drop_exports, make_export
from equipoise.platform.staff.attempts import forget_failures

__all__ = ["DUTIES", "Duty", "done_once"]

_log = logging.getLogger("equipoise.worker")


@dataclass(frozen=True)
class Duty:
    """Something done every so many seconds; the function says how much it did.

    What `sends` is left undone while sending is held.
    """

    name: str
    seconds: float
    do: Callable[[], int]
    sends: bool = False


DUTIES = (
    Duty("sealed", 60, seal_everything),
    Duty("events sealed", 60, seal_events),
    Duty("links sent", 10, send_requested_links, sends=True),
    Duty("messages planned", 30, plan_due),
    Duty("messages called off", 60, sweep),
    Duty("receipts applied", 10, apply_waiting),
    Duty("providers asked", 60, poll, sends=True),
    Duty("messages rescued", 15, rescue, sends=True),
    Duty("files without a receipt", 300, end_unreported),
    Duty("alarms raised", 300, watch, sends=True),
    Duty("counts of messages", 60, count_dispatches),
    Duty("uploads forgotten", 3600, drop_expired),
    Duty("files left behind", 3600, drop_left_behind),
    Duty("media copied", 60, copy_media),
    Duty("exports made", 1, make_export),
    Duty("exports dropped", 60, drop_exports),
    Duty("requests expired", 600, expire_requests),
    Duty("kinds of data deleted", 3600, delete_due),
    Duty("failed sign-ins forgotten", 3600, forget_failures),
)


def done_once(duty: Duty) -> int:
    """One round of a duty; what fails is logged and tried again in its next round.

    Whatever it is: a worker that ended over one bad row would leave every other duty undone.
    """
    try:
        renew_connection()
        return duty.do()
    except Exception:
        _log.exception("%s failed", duty.name)
        return 0

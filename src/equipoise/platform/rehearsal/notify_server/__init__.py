"""A small server that speaks the public interface of GOV.UK Notify, for rehearsals and tests.

It sends nothing. What it takes it keeps, it answers as Notify does, tells what became of each message by
calling back, and misbehaves when it is asked to.
"""

from equipoise.platform.rehearsal.notify_server.calling_back import CallBack
from equipoise.platform.rehearsal.notify_server.faults import FAULTS
from equipoise.platform.rehearsal.notify_server.keeping import Kept, KeptText
from equipoise.platform.rehearsal.notify_server.server import NotifyServer

__all__ = ["FAULTS", "CallBack", "Kept", "KeptText", "NotifyServer"]

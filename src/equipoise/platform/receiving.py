"""Files that are uploaded: only from staff who are signed in, and no larger than what the page takes.

Django stores an upload before any page looks at it. Without this, anybody could fill the disk by any page,
and whoever is signed in by a page for small tables.
"""

from typing import Any

from django.core.files.uploadhandler import SkipFile, StopUpload, TemporaryFileUploadHandler
from django.http import HttpRequest

__all__ = ["LARGEST_TABLE", "LARGEST_UPLOAD", "StaffUploads", "drop_unfinished"]

LARGEST_UPLOAD = 300_000_000  # bytes; beyond this no more is even read
LARGEST_TABLE = 25_000_000
_TAKE_STUDIES = ("study-add", "study-amend")


def drop_unfinished(request: HttpRequest) -> None:
    """Remove a file that was begun and whose connection was lost; Django would leave it lying for a while."""
    for handler in getattr(request, "_upload_handlers", ()):
        if hasattr(handler, "file"):
            handler.file.close()


class StaffUploads(TemporaryFileUploadHandler):
    """Stores what staff send; passes over what anybody else sends, and stores no more than the page takes.

    What is sent beyond that is counted and dropped, so that the page can say that the file is too large.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file, unless nobody is signed in."""
        if not self.request.user.is_authenticated:
            raise SkipFile
        drop_unfinished(self.request)  # a body that broke off is read again, from where it broke off
        super().new_file(*args, **kwargs)
        match = self.request.resolver_match
        studies = match is not None and match.url_name in _TAKE_STUDIES
        self.stored = LARGEST_UPLOAD if studies else LARGEST_TABLE

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Store a piece."""
        if start + len(raw_data) > LARGEST_UPLOAD:
            self.upload_interrupted()
            raise StopUpload(connection_reset=True)
        if start < self.stored:
            super().receive_data_chunk(raw_data[: self.stored - start], start)

"""Files that are uploaded: only from staff who are signed in, and no larger than anything that they may send.

Django stores an upload before any page looks at it. Without this, anybody could fill the disk by any page.
"""

from typing import Any

from django.core.files.uploadhandler import SkipFile, StopUpload, TemporaryFileUploadHandler

__all__ = ["LARGEST_UPLOAD", "StaffUploads"]

LARGEST_UPLOAD = 300_000_000  # bytes; a page may allow less


class StaffUploads(TemporaryFileUploadHandler):
    """Stores what staff send; passes over what anybody else sends, and cuts off what is too large."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin a file, unless nobody is signed in."""
        if not self.request.user.is_authenticated:
            raise SkipFile
        super().new_file(*args, **kwargs)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Store a piece."""
        if start + len(raw_data) > LARGEST_UPLOAD:
            self.upload_interrupted()
            raise StopUpload(connection_reset=True)
        super().receive_data_chunk(raw_data, start)

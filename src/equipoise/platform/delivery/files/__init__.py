"""Messages that leave as a file: made for a partner or for the post, and what came back of them."""

from equipoise.platform.delivery.files.ending import end_unreported
from equipoise.platform.delivery.files.listing import FileOf, file_of, files_of, waiting_for_files
from equipoise.platform.delivery.files.making import MOST_LETTERS, make_file
from equipoise.platform.delivery.files.posting import mark_posted
from equipoise.platform.delivery.files.reading import ReceiptFile
from equipoise.platform.delivery.files.receiving import look_at_receipts, read_receipts

__all__ = [
    "MOST_LETTERS",
    "FileOf",
    "ReceiptFile",
    "end_unreported",
    "file_of",
    "files_of",
    "look_at_receipts",
    "make_file",
    "mark_posted",
    "read_receipts",
    "waiting_for_files",
]

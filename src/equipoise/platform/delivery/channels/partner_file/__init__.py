"""For a partner who keeps the contact list and sends: a mail-merge file, and nobody is spoken to.

There is no provider, so no worker claims what goes this way. `files` makes the file, and takes the partner's
account of what was sent.
"""

from equipoise.platform.delivery.channels.partner_file.table import COLUMNS, FORMS, Line, table

__all__ = ["COLUMNS", "FORMS", "Line", "table"]

"""By post: letters to be printed, folded and put into envelopes with a window; nobody is spoken to.

There is no provider, so no worker claims what goes this way. `files` makes the letters, and somebody says on
which day they were posted.
"""

from equipoise.platform.delivery.channels.post.letters import Letter, address_lines, letters_pdf

__all__ = ["Letter", "address_lines", "letters_pdf"]

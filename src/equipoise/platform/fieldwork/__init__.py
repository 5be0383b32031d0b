"""Surveys as participants meet them: links, sessions, pages, answers; and the frame that comes of them."""

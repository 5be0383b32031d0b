"""Pages for participants: the landing of a link, consent, questions, the end, choices."""

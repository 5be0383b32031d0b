"""The dress rehearsal: a whole trial of invented people, by the real server, worker and mail, in minutes."""

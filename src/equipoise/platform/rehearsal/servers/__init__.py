"""What a rehearsal runs beside itself: a mail server, the platform and its workers."""

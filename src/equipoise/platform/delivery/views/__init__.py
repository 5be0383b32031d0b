"""Pages and answers of messages: what a link leads to, and what providers tell."""

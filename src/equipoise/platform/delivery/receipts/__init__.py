"""What providers tell of messages, and what people reply."""

"""Whether messages go out as they should, and who is told when not."""

"""The people of a rehearsal and the partners who write to them: what they read and what they do."""

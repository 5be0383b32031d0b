"""Looking at results before the end: what may be claimed then, and afterwards."""

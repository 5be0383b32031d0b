"""The studies of the workspace, one at a glance, what it says, and its record."""

"""Who works in the workspace and in a study: members, roles, programs."""

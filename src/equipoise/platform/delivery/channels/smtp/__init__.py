"""Mail by the workspace's own mail server."""

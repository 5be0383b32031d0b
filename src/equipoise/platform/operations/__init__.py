"""Looking after a workspace: copies of it, bringing one back, what is wrong with it, whether it is alive."""

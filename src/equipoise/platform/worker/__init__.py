"""Workers: any number of them send, and one does the duties of the workspace."""

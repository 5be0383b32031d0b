"""Members of staff: their accounts, and how they sign in. What they may do is said in each study's roles."""

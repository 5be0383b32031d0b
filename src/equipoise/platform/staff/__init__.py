"""Members of staff: their accounts. What they may do is said in each study's roles."""

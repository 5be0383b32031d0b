"""How large an effect is, in units that compare."""

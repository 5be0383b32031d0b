"""Cautions by what they are about; `findings.cautions` has the table of all."""

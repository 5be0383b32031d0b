"""Sending: claimed, looked at once more, handed over, settled; and what workers leave behind."""

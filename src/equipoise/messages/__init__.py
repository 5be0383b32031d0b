"""Messages as they are read: templates filled for a participant, as e-mail, text message and letter."""

from equipoise.messages.compiled import Compiled, compile_message
from equipoise.messages.sms import LONGEST_TEXT, Measured, measure, sms_cost

__all__ = ["LONGEST_TEXT", "Compiled", "Measured", "compile_message", "measure", "sms_cost"]

"""E-mail and text messages by GOV.UK Notify, through its public interface.

Notify does not know one message from its repetition: posted twice, it goes out twice. So what may have been
taken is *unknown*, and Notify is asked by our reference before anything is tried again.
"""

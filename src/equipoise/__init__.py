"""Equipoise: a randomised trial, from the written protocol to the published report.

The method packages (`protocol`, `roster`, `allocation`, `instruments`, `estimation`, `diagnosis`,
`findings`, `report`) take frames and frozen records and return them; they never read the clock, the network
or a database.
"""

__version__ = "0.2.0"

from equipoise.protocol.models.participants import Activity, ColumnType, Participants, RosterColumn  # moved; importers follow

__all__ = ["Activity", "ColumnType", "Participants", "RosterColumn"]

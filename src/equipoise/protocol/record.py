from equipoise.record import Identifier, Name, Record, Text  # moved; importers follow

__all__ = ["Identifier", "Name", "Record", "Text"]

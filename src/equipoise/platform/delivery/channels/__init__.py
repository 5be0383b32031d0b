"""The ways by which messages leave: one folder each, all under the contract of `contract`."""

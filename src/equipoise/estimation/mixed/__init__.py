"""Mixed models: rows that share a cluster, a person or a period, by restricted maximum likelihood."""

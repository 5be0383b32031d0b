"""From a roster's people to what is drawn: units with their strata, pairs, clusters and ratio."""

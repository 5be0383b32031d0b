"""Who takes part: participants, how to reach them (encrypted), consents, withdrawal, erasure, arms."""

"""Which studies the workspace holds: programmes, locked folders, partners, stages, states, amendments."""

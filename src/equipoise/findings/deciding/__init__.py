"""What may be claimed: the locked order, looks, margins, the seal, and rules for going on."""

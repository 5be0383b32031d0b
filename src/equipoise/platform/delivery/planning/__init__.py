"""What is due to whom, and when: confirmed, planned, called off, and shown beforehand."""

"""What is kept until when, the worker's deletion of what is due, and the certificate of it."""

"""What the Compose files say, as values."""

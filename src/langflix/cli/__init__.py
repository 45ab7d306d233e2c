"""The commands of ``langflix``."""

"""From what is wanted and what was seen to changes and steps. Pure."""

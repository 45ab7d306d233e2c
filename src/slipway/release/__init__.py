"""Release: plan a deploy, carry it out, verify it, record it, undo it."""

"""Carry out a deploy's steps, and go back."""

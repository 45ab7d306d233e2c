"""Hosts: the machines that run containers, and what they hold."""

"""Celery: what runs apart from requests."""

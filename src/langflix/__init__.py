"""LangFlix: short language lessons cut out of films by their subtitles.

Layers, each importing only those before it::

    errors secret settings logs      what everything stands on
    domain                           pure: subtitles, expressions, lessons
    data                             rows: models and queries
    media                            ffmpeg and the files under the data directory
    queue                            Celery: the application, its tasks, heartbeats
    api                              HTTP
    cli                              the commands; imports of each only when it is run

``web`` holds the page's static files; ``migrations`` the database's history.
"""

from __future__ import annotations

__version__ = "0.1.0"

"""What a host remembers of the application: releases, journal, lease, secret versions, files."""

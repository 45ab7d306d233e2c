"""slipway: images without a Dockerfile, live on a home or office server."""

__version__ = "0.1.0"

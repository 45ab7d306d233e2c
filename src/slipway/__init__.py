"""slipway: images without a Dockerfile, live on a home or office server."""

"""Images: build them with Nix, write their layers, read their digests."""

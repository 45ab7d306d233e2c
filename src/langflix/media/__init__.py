"""ffmpeg, and the files under the data directory."""

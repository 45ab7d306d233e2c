"""Images in an OCI registry: its address, logins, errors, and sending images there."""

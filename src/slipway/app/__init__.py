"""One command's place: the checkout, the host, the person."""

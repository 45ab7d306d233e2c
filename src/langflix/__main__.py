"""Entry point of ``python -m langflix``."""

from __future__ import annotations

import sys

from langflix.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

"""Start the stand-in: ``python3 -m middlewared --release 25.10``."""

from __future__ import annotations

import logging
import shutil
import sys

from . import accounts, catalogue, server, settings
from .middleware import Middleware


def main() -> None:
    """Serve until ended."""
    logging.basicConfig(format="%(message)s", level=logging.INFO)
    told = settings.read(sys.argv[1:])
    shutil.rmtree(told.jobs_log, ignore_errors=True)  # jobs don't outlive it, nor do their logs
    accounts.write_sudoers(told)  # /etc does not outlive a boot
    server.serve(Middleware(told, catalogue.methods(told.release)))


if __name__ == "__main__":
    main()

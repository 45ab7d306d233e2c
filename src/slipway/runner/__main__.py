"""The file's own beginning: ``python3 runner.pyz VERB FOLDER …``."""

import sys

if sys.version_info < (3, 9):  # noqa: UP036 (what a host has is not known before)
    sys.stderr.write("Python 3.9 or later is needed, this is " + sys.version.split()[0] + "\n")
    sys.exit(69)

from slipway.runner.main import main

sys.exit(main(sys.argv[1:]))

"""The file's own beginning: ``python3 runner.pyz VERB …``."""

import sys

from slipway.runner.main import main

sys.exit(main(sys.argv[1:]))

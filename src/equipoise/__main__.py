"""`python -m equipoise`: the command line, for a process that has no script on its path."""

import sys

from equipoise.cli import main

sys.exit(main())

"""`python -m asprinted` is the command line."""

import sys

from asprinted.cli import main

sys.exit(main())

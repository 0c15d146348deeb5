"""`python -m engine.cli` is `wince`."""

import sys

from engine.cli import main

sys.exit(main())

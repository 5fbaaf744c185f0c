"""`python -m guda_ros` is the `guda` command."""

import sys

from guda_ros.cli.main import main

sys.exit(main())

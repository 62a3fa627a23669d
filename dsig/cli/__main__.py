"""`python -m dsig.cli`."""

from __future__ import annotations

import sys

from dsig.cli import main

sys.exit(main())

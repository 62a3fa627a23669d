"""The kit's fixtures, as plugin authors get them."""

from __future__ import annotations

from dsig.testing.fixtures import *  # noqa: F403 - only the top conftest.py of a run may name plugins

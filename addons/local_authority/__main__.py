"""Prints a new authority, for `make addons` to keep encrypted."""

import sys
from datetime import UTC, datetime

from addons.local_authority.authority import new_authority

sys.stdout.write(new_authority(datetime.now(UTC)))

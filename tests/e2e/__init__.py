"""Tests against the deployed stack on a real cluster; run by `make e2e`."""

import pytest

pytest.register_assert_rewrite("tests.e2e.deployment", "tests.e2e.traffic")

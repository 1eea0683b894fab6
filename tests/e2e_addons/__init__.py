"""Tests of the add-ons with the deployed stack `full`; run by `make e2e-addons`."""

import pytest

pytest.register_assert_rewrite("tests.e2e.deployment", "tests.e2e.traffic")

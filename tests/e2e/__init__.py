"""Tests against the deployed stack on a real cluster; run by `make e2e`."""

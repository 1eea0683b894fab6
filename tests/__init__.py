"""Tests that need no cluster, and what they share."""

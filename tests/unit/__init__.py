"""Tests of single components."""

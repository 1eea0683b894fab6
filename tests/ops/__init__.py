"""Tests of the day-two commands' logic."""

"""Tests of the whole program, for each stack file."""

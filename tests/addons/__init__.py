"""Tests of the add-ons' program, without a cluster."""

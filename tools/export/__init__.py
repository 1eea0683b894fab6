"""A stack without Pulumi: plain manifests and a chart, from what the program declares."""

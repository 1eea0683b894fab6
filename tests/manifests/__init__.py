"""Tests of the rendered manifests and the Dockerfiles, by outside tools."""

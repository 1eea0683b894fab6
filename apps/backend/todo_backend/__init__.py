"""The Todo application's HTTP API."""

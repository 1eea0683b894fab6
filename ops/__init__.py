"""Day-two commands for a deployed stack: `python -m ops --help`."""

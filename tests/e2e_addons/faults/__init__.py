"""What goes wrong slowly: faults that alerts tell of only after minutes, all begun at once."""

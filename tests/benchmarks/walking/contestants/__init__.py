"""One module per peer. Each has walks: `(history) -> number of updates that the loop saw`."""

"""What watching a model has come to, over HTTP: what has moved, how far beyond what is usual, since when."""

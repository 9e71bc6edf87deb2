"""BOARD: what sales managers and operations look at. It reads topics and writes nothing that a stage consumes."""

"""What the pages show, each a pure function of the store and an instant."""

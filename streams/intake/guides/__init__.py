"""Forms that ask only for what is missing, and go on by what was answered (CAP-5)."""

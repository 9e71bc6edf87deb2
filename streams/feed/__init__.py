"""Events of every stage, for receivers outside."""

"""The demo: real companies, a small team, and everything that can happen to a lead in a minute."""

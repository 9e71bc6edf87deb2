"""Leads from a file: read, mapped to our fields, given ids that a second import of the same rows gives again."""

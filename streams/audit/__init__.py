"""Audit packs: what people go through every month and every quarter (GOV-6), made from the topics."""

"""Kubernetes manifests made from what the code knows: topics, users with their rights, stages, scaling."""

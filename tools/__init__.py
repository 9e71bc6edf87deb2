"""What is run in the repository and is no part of the product: generated pages and dashboards."""

"""The board over HTTP: pages, their live parts, who may look and who may act."""

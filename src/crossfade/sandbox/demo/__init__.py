"""The demo: one release through three embedded clouds, one of which dies on the way."""

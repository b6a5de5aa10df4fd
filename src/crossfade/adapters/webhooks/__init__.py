"""What git servers and registries send when something has happened."""

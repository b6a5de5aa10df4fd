"""The commands of people, given to a hub over HTTP."""

"""Where steps of pipelines run, and where their logs are kept."""

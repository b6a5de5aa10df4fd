"""Who owns which field: server-side apply and the account that all other writes keep for it."""

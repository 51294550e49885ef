"""Other services, to which requests are passed on."""

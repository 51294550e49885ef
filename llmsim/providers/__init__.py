"""The wire formats: each dialect translates between its API's bytes and the neutral words."""

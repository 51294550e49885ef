"""What the workers' slots say together."""

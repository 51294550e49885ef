"""The pure core: decides what is said and when. No clock, no socket, no global randomness."""

"""What happens to a request between decoding and planning."""

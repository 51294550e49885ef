"""What the workers share: one memory segment of slots, counters and a journal."""

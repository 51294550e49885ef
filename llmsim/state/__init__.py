"""State that requests share: shared memory of all workers, and SQLite."""

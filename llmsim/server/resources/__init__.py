"""What the server remembers for its clients: stored responses, conversations, threads, batches."""

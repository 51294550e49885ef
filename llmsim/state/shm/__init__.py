"""What the workers share: one memory segment of slots, counters and journals.

Read ``segment`` first, then ``layout`` and ``worker_counters``, then the part you need.
"""

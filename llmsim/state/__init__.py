"""State that requests share: the memory of all workers, and SQLite.

Read :mod:`llmsim.state.shm.segment` first (the memory and who owns what of it), then
``shared_state`` (all of it as one worker holds it), then the part you need in ``shm``.
"""

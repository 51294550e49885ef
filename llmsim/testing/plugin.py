"""The pytest plugin. It costs nothing until a test wants one of its fixtures."""

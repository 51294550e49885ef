"""A server as a part of another program: a free port, the file that says when it is ready, and an
end together with the program that started it."""

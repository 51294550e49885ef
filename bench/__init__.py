"""How fast llmsim is: one command a benchmark, beside a bare Granian application."""

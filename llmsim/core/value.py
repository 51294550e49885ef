"""Immutable values in modules that mypyc compiles.

mypyc ignores the keywords of a class, but not those of its base, which msgspec hands down. So a
value is ``class Usage(Value, frozen=True, gc=False)``: the keywords are for the type checker, and
say what the base does in any case. Compiled, a value's annotations lose their parameters: whatever
is decoded from JSON is in a module that is not compiled (:mod:`hatch_build` has the list).
"""

from msgspec import Struct


class Value(Struct, frozen=True, gc=False):
    """A value that cannot change and is never part of a reference cycle."""

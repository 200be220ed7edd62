"""The protocol by itself, without the code: a small service, appliers that follow the rules, and all that can happen.

The product's tests and its campaign check that the code does what the protocol says; this package checks that the
protocol says enough. A world is a few requests and a few appliers; everything that may go one way or another is a
choice. `walk` tries all choices of a small world, `roll` throws dice for a large one. Each rule of the protocol is
a method that a test can take away by a subclass, and then something must go wrong.

What is the product's own here is the election: the decision cannot drift away from what was checked.

    python -m tests.model --trials 100000
"""

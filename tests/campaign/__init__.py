"""Seeded schedules of whole applies under faults: `python -m tests.campaign --seeds N`.

One schedule is one small world: a service, a ledger, manifests that change, and up to three applies at a time that
share a simulated clock. Everything that happens follows from the seed, so a failing one can be run again and cut
down to the faults that matter.
"""

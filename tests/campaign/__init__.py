"""Seeded schedules of whole applies under faults: `python -m tests.campaign --seeds N`.

One schedule is one small world: a service, a ledger, manifests that change, and up to three applies at a time that
share a simulated clock. Everything that happens follows from the seed, so a failing one can be run again and cut
down to the faults that matter.

A third of the schedules are plain: faults, crashes, edits and fate. The others have one or more kinds of their own:
jobs that wait for others or for room, prices and limits, calls at once, requests to adopt, reads that lag behind,
people who edit descriptions and start requests, ledgers that must be begun, cannot be written or are objects.
`watch` judges each call of ours when the service takes it in, `oracle` and `warrant` judge how it all ends.
"""

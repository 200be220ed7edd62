"""The reconcile loop: where declared and live meet, and the only place that changes anything.

Each round lists the account, plans anew and takes the steps that the plan allows now. Nothing is carried from one
round to the next but what this process knows better than the list: which create calls it made, when it first saw
a request, which calls were refused. So a run that is killed anywhere is continued by the next one, and several
runs at once arrive at the same requests.

What it rests on, each a setting or checked while running:

* a list shows every request of the account, with its body, at the latest `settle` seconds after the create call;
* `created` is comparable between requests;
* the description comes back to the letter (compared after every create);
* creating and analysing are free, starting is not;
* the description may be written in CREATED, ANALYSIS_DONE, STOPPED and DONE.
"""

from shbatch_sync.reconcile.apply import apply_plan
from shbatch_sync.reconcile.result import ApplyResult, Outcome, Step

__all__ = ["ApplyResult", "Outcome", "Step", "apply_plan"]

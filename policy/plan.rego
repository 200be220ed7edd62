# An example for conftest or OPA: what a team may refuse or question in a saved plan.
#   shbatch-sync plan --out plan.json && conftest test plan.json
package main

import rego.v1

allowed_bucket := "s3://my-results/"

warn_above_pu := 5000

# A new request delivers where its body says for good: what creates one is the moment to refuse.
deny contains message if {
	some change in input.changes
	change.action in {"create", "replace"}
	not delivers_here(change)
	message := sprintf("%s delivers to %s, outside %s", [change.job, change.delivery, allowed_bucket])
}

delivers_here(change) if {
	is_string(change.delivery)
	startswith(change.delivery, allowed_bucket)
}

deny contains message if {
	some change in input.changes
	change.action == "stop"
	change.reason == "orphan"
	message := sprintf("%s is stopped because its manifest is gone: ask its owner first", [change.job])
}

warn contains message if {
	input.summary.estimatedPU > warn_above_pu
	message := sprintf("the plan's starts cost about %d PU", [round(input.summary.estimatedPU)])
}

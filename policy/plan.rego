# An example for conftest or OPA: what a team may refuse or question in a saved plan.
#   shbatch-sync plan --out plan.json && conftest test plan.json
package main

import rego.v1

allowed_bucket := "s3://my-results/"

warn_above_pu := 5000

deny contains message if {
	some change in input.changes
	some field in change.fields
	endswith(field.path, "/delivery/s3/url")
	not startswith(field.after, allowed_bucket)
	message := sprintf("%s delivers to %s, outside %s", [change.job, field.after, allowed_bucket])
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

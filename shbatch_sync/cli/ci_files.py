"""The files that `init --ci` writes: a forge's jobs that validate, plan, comment, apply and look for drift."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

from shbatch_sync.errors import SettingsError
from shbatch_sync.version import __version__

_PACKAGE = Path(__file__).parent.parent
ACTION = ".github/actions/shbatch-sync/action.yml"
WORKFLOW = ".github/workflows/shbatch-sync.yml"
GITLAB = ".gitlab/shbatch-sync.gitlab-ci.yml"
GITLAB_ROOT = ".gitlab-ci.yml"
GITLAB_INCLUDE = f"include:\n  - local: {GITLAB}\n"

_GITHUB = """\
# A plan as a comment on every pull request, the reviewed plan applied on merge, a look for drift by night.
name: shbatch-sync
on:
  pull_request:
  push:
    branches: [@BRANCH@]
  schedule:
    - cron: "17 3 * * *"
  workflow_dispatch:

permissions:
  contents: read

# Of a pull request only the newest plan counts. Applies may run side by side, for nothing is paid twice; in a common
# group the next merge, or the nightly look, would cancel one that waits.
concurrency:
  group: shbatch-sync-${{ github.event_name == 'pull_request' && github.ref || github.run_id }}
  cancel-in-progress: true

env:
  SH_CLIENT_ID: ${{ secrets.SH_CLIENT_ID }}
  SH_CLIENT_SECRET: ${{ secrets.SH_CLIENT_SECRET }}

jobs:
  plan:
    if: github.event_name == 'pull_request'
    runs-on: ubuntu-latest
    permissions:
      contents: read
      pull-requests: write
    steps:
      - uses: actions/checkout@v4
      - id: shbatch
        uses: ./.github/actions/shbatch-sync
        with:
          command: plan
          directory: "@DIRECTORY@"
          target: "@TARGET@"
          package: "@PACKAGE@"
      - uses: actions/upload-artifact@v4
        with:
          name: shbatch-plan
          path: ${{ steps.shbatch.outputs.plan-json }}

  apply:
    if: github.event_name == 'push' || github.event_name == 'workflow_dispatch'
    runs-on: ubuntu-latest
    permissions:
      actions: read
      contents: write
      pull-requests: read
    steps:
      - uses: actions/checkout@v4
        with:
          ref: ${{ github.ref_name }}
      # The plan that was commented on the pull request of this commit, however it was merged. There is none for a
      # commit that was pushed without one: run the workflow by hand to plan and apply it.
      - name: Fetch the plan that was reviewed
        if: github.event_name == 'push'
        env:
          GH_TOKEN: ${{ github.token }}
        run: |
          none() {
            echo "::error::$1: run this workflow by hand to plan and apply"
            exit 1
          }
          # A fork's plan has not seen the service, and what it uploads is its own.
          head="$(gh api "repos/$GITHUB_REPOSITORY/commits/$GITHUB_SHA/pulls" --jq '.[0].head | select(.repo.full_name == env.GITHUB_REPOSITORY) | .sha')" || none "the pull request of $GITHUB_SHA could not be asked for"
          if [ -z "$head" ]; then none "no pull request from a branch of this repository brought $GITHUB_SHA"; fi
          run="$(gh run list --workflow shbatch-sync.yml --event pull_request --commit "$head" --status success --limit 1 --json databaseId --jq '.[0].databaseId // empty')" || none "the runs for $head could not be asked for"
          if [ -z "$run" ]; then none "no plan was made of $head: no run for it has ended well"; fi
          gh run download "$run" --name shbatch-plan --dir "$RUNNER_TEMP/reviewed" || none "the plan of $head could not be fetched from run $run"
          echo "PLAN=$RUNNER_TEMP/reviewed/plan.json" >> "$GITHUB_ENV"
      - uses: ./.github/actions/shbatch-sync
        with:
          command: apply
          directory: "@DIRECTORY@"
          target: "@TARGET@"
          plan-file: ${{ env.PLAN }}
          @LEDGER@
          package: "@PACKAGE@"

  drift:
    if: github.event_name == 'schedule'
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: ./.github/actions/shbatch-sync
        with:
          command: drift
          directory: "@DIRECTORY@"
          target: "@TARGET@"
          package: "@PACKAGE@"
"""

_GITLAB = """\
# A plan as a note on every merge request, apply on the default branch, a look for drift in scheduled pipelines.
# CI/CD variables: SH_CLIENT_ID and SH_CLIENT_SECRET (masked); SHBATCH_FORGE_TOKEN, a project access token with the
# scope `api` for the note and `write_repository` for the ledger.
.shbatch-sync:
  image: python:3.12
  before_script:
    - pip install --quiet "@PACKAGE@"
    - cd "@DIRECTORY@"
    - shbatch-sync validate

shbatch-sync plan:
  extends: .shbatch-sync
  stage: test
  rules:
    - if: $CI_PIPELINE_SOURCE == "merge_request_event"
  script:
    # A fork's pipeline has no variables of this project, and says in its plan what it could not see.
    - |
      offline=""
      if [ -z "$SH_CLIENT_ID" ]; then offline=--offline; fi
    - shbatch-sync plan --target "@TARGET@" --out plan.json $offline
    - if [ -n "$SHBATCH_FORGE_TOKEN" ]; then shbatch-sync comment plan.json; fi
  artifacts:
    paths: ["@DIRECTORY@/plan.json"]

shbatch-sync apply:
  extends: .shbatch-sync
  stage: deploy
  resource_group: shbatch-sync
  rules:
    - if: $CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
  script:
    - shbatch-sync plan --target "@TARGET@" --out plan.json
@APPLY@  artifacts:
    when: always
    paths: ["@DIRECTORY@/plan.json", "@DIRECTORY@/apply.jsonl"]

shbatch-sync drift:
  extends: .shbatch-sync
  stage: test
  rules:
    - if: $CI_PIPELINE_SOURCE == "schedule"
  script:
    - shbatch-sync plan --target "@TARGET@" --detailed-exitcode
"""

_APPLY = """\
    - shbatch-sync apply plan.json --json-into apply.jsonl
"""

# Nothing here may rely on `set -e`: within `||` a shell goes on after what fails.
_APPLY_AND_KEEP = """\
    - code=0; shbatch-sync apply plan.json --json-into apply.jsonl || code=$?
    # The ledger is kept whatever happened: without it, the next run does not know what was paid for.
    - &keep |
      forge_git() {
        git -c credential.helper= -c credential.helper='!f() { echo username=oauth2; echo "password=$SHBATCH_FORGE_TOKEN"; }; f' -c core.attributesFile="$union" "$@"
      }
      keep_ledger() {
        cd -- "$CI_PROJECT_DIR/@DIRECTORY@" || return 1
        ledger=@LEDGER@
        if [ ! -f "$ledger" ]; then return 0; fi
        export GIT_AUTHOR_NAME=shbatch-sync GIT_AUTHOR_EMAIL=shbatch-sync@example.org
        export GIT_COMMITTER_NAME="$GIT_AUTHOR_NAME" GIT_COMMITTER_EMAIL="$GIT_AUTHOR_EMAIL"
        git add --force -- "$ledger" || return 1
        if ! git diff --cached --quiet -- "$ledger"; then
          git commit --quiet --message "Ledger of shbatch-sync [skip ci]" -- "$ledger" || return 1
        fi
        if [ "$(git rev-parse HEAD)" = "$CI_COMMIT_SHA" ]; then return 0; fi
        # Where somebody else wrote to the ledger meanwhile, the lines of both are kept, also without a .gitattributes.
        union="$(mktemp)"
        echo "* merge=union" > "$union"
        for wait in 1 2 4 8 0; do
          if forge_git push --quiet "$CI_PROJECT_URL.git" "HEAD:refs/heads/$CI_COMMIT_BRANCH"; then return 0; fi
          sleep "$wait"
          forge_git pull --quiet --rebase --autostash "$CI_PROJECT_URL.git" "refs/heads/$CI_COMMIT_BRANCH" || git rebase --abort || true
        done
        return 1
      }
      if ! keep_ledger; then
        echo "ERROR: the ledger could not be pushed to $CI_COMMIT_BRANCH: may this job write to it? Without it, the next run does not know what was paid for." >&2
        code=1
      fi
    - exit $code
  # For a job that is cancelled or runs out of time while it applies.
  after_script:
    - if [ "$CI_JOB_STATUS" = success ]; then exit 0; fi
    - *keep
"""


def ci_files(
    forge: str,
    *,
    target: str,
    ledger: str | None,
    directory: str = ".",
    branch: str = "main",
    package: str = "",
) -> dict[str, str]:
    """Return path within the repository → content of what a forge needs.

    Args:
        forge: `github` or `gitlab`.
        target: Name of the target to act on.
        ledger: Path of its ledger as seen from `directory`; None if there is none to be committed.
        directory: Folder of shbatch.yaml within the repository.
        branch: What GitHub applies when it is pushed to; GitLab knows its default branch itself.
        package: What pip installs in a job; this version if left out.

    Raises:
        SettingsError: The action is not part of this installation.
    """
    values = {
        "@TARGET@": target,
        "@DIRECTORY@": directory,
        "@PACKAGE@": package or f"shbatch-sync=={__version__}",
    }
    if forge == "gitlab":
        values["@LEDGER@"] = shlex.quote(ledger or "")
        return {
            GITLAB: _filled(
                _GITLAB.replace("@APPLY@", _APPLY_AND_KEEP if ledger else _APPLY), values
            )
        }
    values["@BRANCH@"] = json.dumps(branch)
    values["@LEDGER@"] = f"ledger-path: {json.dumps(ledger)}" if ledger else "ledger: none"
    return {ACTION: _action(), WORKFLOW: _filled(_GITHUB, values)}


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    return text


def _action() -> str:
    for folder in (_PACKAGE, _PACKAGE.parent):
        path = folder / "action.yml"
        if path.is_file():
            return path.read_text(encoding="utf-8")
    message = "the action is not part of this installation"
    raise SettingsError(message)

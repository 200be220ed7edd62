"""The files that `init --ci` writes: a forge's jobs that validate, plan, comment, apply and look for drift."""

from __future__ import annotations

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
    branches: [main]
  schedule:
    - cron: "17 3 * * *"
  workflow_dispatch:

permissions:
  contents: read

# One after the other: nothing would be paid twice without it, but runs would wait for each other's requests.
concurrency:
  group: shbatch-sync-${{ github.event_name == 'pull_request' && github.ref || 'apply' }}
  cancel-in-progress: false

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
          head="$(gh api "repos/$GITHUB_REPOSITORY/commits/$GITHUB_SHA/pulls" --jq '.[0].head.sha // empty')"
          run="$(gh run list --workflow shbatch-sync.yml --event pull_request --commit "$head" --status success --limit 1 --json databaseId --jq '.[0].databaseId // empty')"
          gh run download "$run" --name shbatch-plan --dir "$RUNNER_TEMP/reviewed"
          echo "PLAN=$RUNNER_TEMP/reviewed/plan.json" >> "$GITHUB_ENV"
      - uses: ./.github/actions/shbatch-sync
        with:
          command: apply
          directory: "@DIRECTORY@"
          target: "@TARGET@"
          plan-file: ${{ env.PLAN }}
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
    - code=0; shbatch-sync apply plan.json --json-into apply.jsonl || code=$?
    # The ledger is kept whatever happened: without it, the next run does not know what was paid for.
    - |
      git add -- .shbatch/ledger.jsonl
      if ! git diff --cached --quiet; then
        git -c user.name=shbatch-sync -c user.email=shbatch-sync@example.org commit --quiet --message "Ledger of shbatch-sync [skip ci]"
        remote="https://oauth2:${SHBATCH_FORGE_TOKEN}@${CI_SERVER_HOST}/${CI_PROJECT_PATH}.git"
        git pull --quiet --rebase "$remote" "$CI_COMMIT_BRANCH"
        git push --quiet "$remote" "HEAD:$CI_COMMIT_BRANCH"
      fi
    - exit $code
  artifacts:
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


def ci_files(forge: str, *, target: str, directory: str = ".", package: str = "") -> dict[str, str]:
    """Return path within the repository → content of what a forge needs.

    Args:
        forge: `github` or `gitlab`.
        target: Name of the target to act on.
        directory: Folder of shbatch.yaml within the repository.
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
        return {GITLAB: _filled(_GITLAB, values)}
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

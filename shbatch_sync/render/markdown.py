"""A plan as a comment on a change: a table that names every job, what differs folded away below it.

A forge takes about 65,000 characters. Where a plan is longer, the longest differences are left out first and the
words of the table next; the name of every job stays.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any

from shbatch_sync.diff import FieldChange, Kind
from shbatch_sync.plan import Action, Change, Plan
from shbatch_sync.planfile import shown_fields
from shbatch_sync.plural import counted
from shbatch_sync.render.escape import one_line
from shbatch_sync.render.fields import area_text
from shbatch_sync.render.md import code, code_html, fenced, words
from shbatch_sync.render.plan_text import REASONS, SYMBOLS, price_text, summary_line
from shbatch_sync.shape import GEOMETRY

EVALSCRIPT = "/processRequest/evalscript"
LIMIT = 60_000
MAX_BODY = 8_000
_GAP = "\n\n"
MAX_REMARKS = 20
MAX_WORDS = 200
CONTEXT = 2
_TAG = "<!-- shbatch-sync plan {project} {target} -->"


def tag(project: str, target: str) -> str:
    """Return the hidden first line by which a comment is found again, so that there is one a target."""
    return _TAG.format(project=_plain(project), target=_plain(target))


def render_markdown(plan: Plan, limit: int = LIMIT) -> str:
    """Return the plan as markdown of fewer than `limit` characters."""
    bodies = {job: body for job, changes in _by_job(plan) if (body := _body(changes))}
    for row in (_full_row, _short_row):
        bare = len(_comment(plan, row, {}, dropped=len(bodies)))
        if bare < limit:
            kept = _fitting(bodies, limit - bare - 1)
            return _comment(plan, row, kept, dropped=len(bodies) - len(kept))
    return _names_only(plan, limit)


def _fitting(bodies: dict[str, str], room: int) -> dict[str, str]:
    """Return the bodies that fit: the shortest first, so that most jobs keep what is worth reading."""
    kept = set()
    for job in sorted(bodies, key=lambda name: len(bodies[name])):
        room -= len(bodies[job]) + len(_GAP)
        if room < 0:
            break
        kept.add(job)
    return {job: body for job, body in bodies.items() if job in kept}


def _names_only(plan: Plan, limit: int) -> str:
    """Return a comment on a plan of thousands: its sums, and as many names as there is room for."""
    jobs = list(dict.fromkeys(change.job for change in plan.changes))
    foot = f"and {len(jobs)} more: see the saved plan.\n"
    parts, room = [_head(plan), _GAP], limit - len(_head(plan)) - len(_GAP) - len(foot) - 1
    for index, job in enumerate(jobs):
        name = f"{code(job)} "
        room -= len(name)
        if room < 0:
            return "".join([*parts, f"and {len(jobs) - index} more: see the saved plan.\n"])
        parts.append(name)
    return "".join(parts).rstrip() + "\n"


def _by_job(plan: Plan) -> Iterator[tuple[str, list[Change]]]:
    for job, changes in groupby(plan.changes, key=lambda change: change.job):
        yield job, list(changes)


def _comment(
    plan: Plan, row: Callable[[Change], str], bodies: dict[str, str], *, dropped: int
) -> str:
    parts = [_head(plan)]
    if plan.changes:
        head = "| | job | why | PU | declared in |\n|---|---|---|--:|---|\n"
        parts.append(head + "\n".join(map(row, plan.changes)))
    parts += _remarks(plan)
    parts += bodies.values()
    if dropped:
        parts.append(f"_Differences of {counted(dropped, 'job')} left out: see the saved plan._")
    return _GAP.join([*parts, *_foot(plan)]) + "\n"


def _head(plan: Plan) -> str:
    facts = plan.facts
    title = f"### shbatch-sync: plan for {code(facts.project)} on {code(facts.target)}"
    return f"{tag(facts.project, facts.target)}\n{title}\n\n**{words(summary_line(plan))}**"


def _full_row(change: Change) -> str:
    price = words(price_text(change.estimate)) if _priced(change) and change.estimate else ""
    place = code(str(change.origin)) if change.origin else ""
    why = words(REASONS[change.reason])
    why += f": {words(change.detail, MAX_WORDS)}" if change.detail else ""
    why += f" **withheld ({change.withheld.gate})**" if change.withheld else ""
    return f"| {_sign(change)} | {code(change.job)} | {why} | {price} | {place} |"


def _short_row(change: Change) -> str:
    held = f" **withheld ({change.withheld.gate})**" if change.withheld else ""
    return f"| {_sign(change)} | {code(change.job)} | {words(REASONS[change.reason])}{held} | | |"


def _sign(change: Change) -> str:
    return f"{code(SYMBOLS[change.action])} {change.action}"


def _priced(change: Change) -> bool:
    return change.action is Action.START


def _remarks(plan: Plan) -> list[str]:
    """Return what people have to read: each gate once with what lifts it, warnings, orphans."""
    held: dict[str, list[str]] = {}
    for change in plan.changes:
        if change.withheld is not None:
            line = (
                f"{change.withheld.number}, limit {change.withheld.limit}; {change.withheld.lift}"
            )
            held.setdefault(
                f"**withheld ({change.withheld.gate})**: {words(line, 2 * MAX_WORDS)}", []
            ).append(change.job)
    lines = [f"- {text} ({_jobs(jobs)})" for text, jobs in list(held.items())[:MAX_REMARKS]]
    lines += _more(len(held))
    remarks = plan.remarks
    lines += [f"- warning: {words(text, MAX_WORDS)}" for text in remarks[:MAX_REMARKS]]
    lines += _more(len(remarks))
    if plan.orphans:
        lines.append(f"- {counted(plan.orphans, 'request')} at rest without a manifest")
    return ["\n".join(lines)] if lines else []


def _more(number: int) -> list[str]:
    return [f"- and {number - MAX_REMARKS} more"] if number > MAX_REMARKS else []


def _jobs(jobs: Sequence[str]) -> str:
    names = list(dict.fromkeys(jobs))
    return code(names[0]) if len(names) == 1 else f"{code(names[0])} and {len(names) - 1} more"


def _foot(plan: Plan) -> list[str]:
    commit = plan.facts.commit
    return [f"<sub>commit {code(commit.sha)}</sub>"] if commit else []


def _plain(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._]+", "-", name)


# --- what differs --------------------------------------------------------------------------------------------


def _body(changes: Sequence[Change]) -> str:
    """Return what differs of a job, folded; nothing where nothing does."""
    lines = [line for change in changes for line in _difference(change)]
    if not lines:
        return ""
    kept = list(_within(lines, MAX_BODY))
    if len(kept) < len(lines):
        kept.append(f"… {len(lines) - len(kept)} more lines")
    summary = f"{code_html(changes[0].job)} {changes[0].action}"
    block = fenced("\n".join(kept), "diff")
    return f"<details><summary>{summary}</summary>\n\n{block}\n\n</details>"


def _within(lines: Sequence[str], room: int) -> Iterator[str]:
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            return
        yield line


def _difference(change: Change) -> Iterator[str]:
    for field in shown_fields(change):
        if field.reason:
            continue
        if field.path == EVALSCRIPT:
            yield f"! {field.path}"
            yield from _script(field)
        elif field.path == GEOMETRY:
            yield f"! {field.path}: {area_text(field.before, field.after)}"
        else:
            yield from _sides(field)


def _script(field: FieldChange) -> Iterator[str]:
    before, after = str(field.before or "").splitlines(), str(field.after or "").splitlines()
    diff = list(difflib.unified_diff(before, after, lineterm="", n=CONTEXT))
    # The first two lines name the two sides.
    yield from (_cut(line) for line in diff[2:])


def _cut(line: str) -> str:
    return line if len(line) <= MAX_WORDS else f"{line[: MAX_WORDS - 1]}…"


def _sides(field: FieldChange) -> Iterator[str]:
    path = field.path or "the whole body"
    if field.kind is not Kind.ADDED:
        yield f"- {path}: {_value(field.before)}"
    if field.kind is not Kind.REMOVED:
        yield f"+ {path}: {_value(field.after)}"


def _value(value: Any) -> str:
    return one_line(json.dumps(value, ensure_ascii=False), MAX_WORDS)

"""Each rule of the protocol is needed: with it nothing can go wrong from a moment on, without it something does."""

from __future__ import annotations

import pytest

from tests.model import moments, without
from tests.model.moments import JOB, NEXT, Moment, alone
from tests.model.protocol import Protocol
from tests.model.service import Rules
from tests.model.walk import walk

PAIR = Rules(settle=1, lag=1, omissions=1, ledger="own")
LOSSY = Rules(settle=1, lag=1, losses=1)
EDITED = Rules(settle=0, lag=0, hands=1)

CASES: dict[type[Protocol], Moment] = {
    # --- creating
    without.Resending: Moment(alone(LOSSY, JOB)),
    without.Impatient: Moment(alone(LOSSY, JOB)),
    # --- judging
    without.Unsettled: Moment(alone(PAIR, JOB, JOB)),
    without.OwnFirst: Moment(alone(Rules(settle=0, lag=0), JOB, JOB)),
    without.StartedIsNothing: Moment(moments.started_the_younger),
    without.Incomplete: Moment(moments.not_listed_yet),
    without.Gullible: Moment(moments.page_moves_while_judging),
    # --- starting
    without.Unsealed: Moment(moments.decided_for_the_younger),
    without.Unread: Moment(moments.written_over),
    without.Unlooking: Moment(moments.both_are_sure),
    # --- remembering
    without.Untidy: Moment(moments.page_moves),
    without.Speechless: Moment(alone(Rules(settle=0, lag=0, kills=1, forgetful=True), JOB)),
    without.Forgetful: Moment(alone(Rules(settle=0, lag=0), JOB)),
    without.StartMissing: Moment(moments.gone_while_processed),
    # --- people
    without.TrustsSeals: Moment(alone(EDITED, JOB)),
    without.TrustsBodies: Moment(alone(EDITED, JOB)),
    without.Witnessless: Moment(moments.marker_gone),
    without.WitnessForCreatesOnly: Moment(moments.marker_gone_meanwhile),
    # --- two specs
    without.Strangerless: Moment(moments.another_spec_meanwhile, moments.both_specs_paid),
    without.Unyielding: Moment(alone(PAIR._replace(hasty=False, ledger="shared"), JOB, NEXT)),
    without.Gateless: Moment(moments.paid_and_changed),
    without.Returning: Moment(moments.changed_and_back, moments.old_spec_paid),
    without.Fenceless: Moment(moments.older_checkout, moments.old_spec_paid),
    without.Hasty: Moment(moments.being_replaced, moments.two_at_once),
    without.LetsRetiredRun: Moment(moments.replaced_and_started),
}


@pytest.mark.parametrize("protocol", CASES, ids=lambda one: one.__name__)
def test_a_rule_alone_saves(protocol: type[Protocol]):
    moment = CASES[protocol]
    safe = walk(moment.world(Protocol()), Protocol(), oracle=moment.oracle)
    assert safe.violation is None, safe.violation
    assert safe.whole
    lacking = protocol()
    found = walk(moment.world(lacking), lacking, oracle=moment.oracle)
    assert found.violation is not None


def test_every_rule_has_its_moment():
    subclasses = {one for one in vars(without).values() if isinstance(one, type)}
    lacking = {one for one in subclasses if issubclass(one, Protocol) and one is not Protocol}
    assert lacking == set(CASES)

"""Signals end a run gently, whatever has become of the terminal."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from shbatch_sync.cli.signals import ending_gently
from shbatch_sync.reconcile.interrupt import Interrupt


@pytest.fixture(params=["closed", "broken"])
def stderr(request: pytest.FixtureRequest) -> Iterator[object]:
    if request.param == "closed":
        yield None
        return
    reading, writing = os.pipe()
    os.close(reading)
    yield SimpleNamespace(fileno=lambda: writing)
    os.close(writing)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_is_heard_though_nobody_can_be_told(stderr, number, monkeypatch):
    interrupt = Interrupt()
    before = signal.getsignal(number)
    with monkeypatch.context() as patch, ending_gently(interrupt):
        patch.setattr(sys, "stderr", stderr)
        signal.raise_signal(number)
    assert interrupt.requested
    assert signal.getsignal(number) is before


def test_the_first_one_says_so_and_a_second_ctrl_c_ends_at_once(capfd):
    with ending_gently(Interrupt()):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert capfd.readouterr().err.count("Ctrl-C again ends at once") == 1

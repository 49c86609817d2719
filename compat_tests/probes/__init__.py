"""The probe programs: what a client does with a server, step by step, with every outcome written down.

``run(name, connect, server)`` performs one program against one server and returns {step: outcome}, an outcome being a
value, or the exception that the step raised, in the plain form of ``describe``.  test_side_by_side.py performs each
program against CPython and against Go and compares step by step, so nothing here says what the right answer is: CPython
does.
"""
from probes import attributes, callbacks, containers, lifetimes, objects, values  # noqa: F401
from probes.steps import PROBES, run  # noqa: F401
from probes.values import VALUES  # noqa: F401

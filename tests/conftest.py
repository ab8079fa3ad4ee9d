"""Shared by all tests: Hypothesis without a clock, since shared machines stall; threads that do not spin."""

import os

# Before torch is imported: threads that spin while they wait take the cores from servers and browsers.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

from hypothesis import HealthCheck, settings

settings.register_profile("livemind", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("livemind")

# Of `make test-servers`, which installs them.
collect_ignore = [] if os.environ.get("LIVEMIND_VLLM") else ["servers"]

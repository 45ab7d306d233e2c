"""What a deploy does not need, and yet fails of sooner or later: what `host.doctor` looks at
besides :mod:`slipway.plan.preflight`. A module for each kind; all of them pure."""

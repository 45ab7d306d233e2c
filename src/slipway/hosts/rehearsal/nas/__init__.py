"""A stand-in for the middleware of a TrueNAS: programs that run on the rehearsal host.

The host's own Python runs them, with the standard library and PyYAML, which a TrueNAS has too.
They import nothing of slipway; :mod:`slipway.hosts.rehearsal.nasfiles` says which of them go where
on the host. What is real in them, what is emulated, and what it was learnt from stands in
``docs/reference/stand-in.md``.
"""

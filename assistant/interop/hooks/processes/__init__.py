"""Several processes that answer hooks on one port.

One process of Python uses one core.  With ``hooks.processes`` the server, which alone listens,
hands each connection whose next request is a call of a hook to one of so many processes: the
socket itself, with what was read of it.  The calls of one patient go to the same process, which
has read the chart.  A connection that is kept goes where its next request belongs; whatever cannot
be handed on is answered where it is, as every process answers every hook.
"""

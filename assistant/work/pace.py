"""How often things are looked at, and how many are done at once."""

POLL_SECONDS = 2.0
"""How often an idle worker looks for work that another process has queued."""

HEARTBEAT_SECONDS = 10.0
SILENT_SECONDS = 3 * HEARTBEAT_SECONDS
"""A running request without a heartbeat for so long belongs to a process that is gone."""

BUSY_SECONDS = 1.0
LOST_SECONDS = 2.0
MOST_LOST = 3
"""How often work begins anew after its model was lost in the middle of it."""

RETRY_SECONDS = 1.0
"""How long to wait before a change that the store refused is tried again."""

LOOK_SECONDS = 1.0
"""How old the picture of the queue may be that a waiting caller is told from."""

PREPARERS = 2
"""How many requests are prepared at once: apart, so that long work cannot hold them up."""

LIGHT_RUNNERS = 4
"""How many requests that need no model are worked on at once."""

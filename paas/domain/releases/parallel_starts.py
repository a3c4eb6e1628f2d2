"""The starts of many apps, some at a time."""

# How many apps are started at once per processor: more would only compete.
AT_ONCE_PER_CPU = 4
# What reconciling asks of the gate for each app that needs a roll-out: apps:start-again APP-ID. It
# is no command of users, and root's alone.
START_COMMAND = "apps:start-again"

#!/bin/sh
# users: makes the users of Postrider's roles, each with a group of its own; those that are there are left alone. None may
# log in. They are never removed: what they own (mail) stays when the program goes.
set -eu
for user in postrider postrider-auth postrider-edge postrider-relay; do
    getent passwd "$user" >/dev/null ||
        useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$user"
done

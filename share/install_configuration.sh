#!/bin/sh
# Last step of `make install`: the configuration, unless there is one, and the roles' users.
# With DESTDIR set (packaging) nothing outside of it is touched.
set -eu
etc="${DESTDIR:-}/etc/postrider"
mkdir -p "$etc"
[ -e "$etc/postrider.conf" ] || install -m 644 "$MESON_SOURCE_ROOT/share/postrider.conf" "$etc/postrider.conf"
[ -n "${DESTDIR:-}" ] && exit 0
if [ "$(id -u)" != 0 ]; then
    echo "not root: make the users postrider, postrider-auth, postrider-edge and postrider-relay yourself"
    exit 0
fi
for user in postrider postrider-auth postrider-edge postrider-relay; do
    getent passwd "$user" >/dev/null ||
        useradd --system --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin "$user"
done
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi

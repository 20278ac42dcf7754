#!/bin/sh
# Last step of `make install`: everything beside the program (install.sh), then the users of its roles. With DESTDIR set
# nothing outside of it is touched.
set -eu
"$(dirname "$0")/install.sh" "${DESTDIR:-}" "$MESON_INSTALL_PREFIX" "$1"
[ -n "${DESTDIR:-}" ] && exit 0
if [ "$(id -u)" != 0 ]; then
    echo "not root: make the users postrider, postrider-auth, postrider-edge and postrider-relay yourself"
    exit 0
fi
"$MESON_INSTALL_PREFIX/lib/postrider/users"
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
echo "To take sendmail's place (and to give it back): $MESON_INSTALL_PREFIX/lib/postrider/place take|give; see docs/INSTALL.md"

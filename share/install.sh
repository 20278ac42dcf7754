#!/bin/sh
# install.sh DESTDIR PREFIX PROGRAM: lays out everything that an installation has beside the program itself. The one list
# of it: `make install` runs it, and so do the Debian package and the RPM. Needs no root where DESTDIR does not.
#   INIT_DIR (/etc/init.d), COMPRESS=yes (manual pages)
set -eu
destdir=$1 prefix=$2 program=$3
here=$(dirname "$0")
docs=$here/../docs
man=$destdir$prefix/share/man
lib=$destdir$prefix/lib

put() { # MODE SOURCE TARGET: a copy with the prefix filled in
    mkdir -p "$(dirname "$3")"
    sed "s,@prefix@,$prefix,g" "$2" >"$3"
    chmod "$1" "$3"
}

face() { # FOLDER NAME SECTION: NAME.postrider is the program by another name; so is its page
    mkdir -p "$destdir$prefix/$1" "$man/man$3"
    case $1 in
    sbin) ln -sf postrider "$destdir$prefix/sbin/$2.postrider" ;;
    *) ln -sf ../sbin/postrider "$destdir$prefix/$1/$2.postrider" ;;
    esac
    echo ".so man1/postrider-programs.1" >"$man/man$3/$2.postrider.$3"
}

put 644 "$docs/man/postrider.8" "$man/man8/postrider.8"
put 644 "$docs/man/postrider-programs.1" "$man/man1/postrider-programs.1"
mkdir -p "$man/man5"
"$program" config manual >"$man/man5/postrider.conf.5"
while read -r folder name section; do
    face "$folder" "$name" "$section"
done <"$here/faces"

put 644 "$here/postrider.service" "$lib/systemd/system/postrider.service"
put 644 "$here/sysusers.conf" "$lib/sysusers.d/postrider.conf"
for tool in users place; do
    put 755 "$here/$tool.sh" "$lib/postrider/$tool"
done
put 644 "$here/faces" "$lib/postrider/faces"
put 644 "$here/completion.bash" "$destdir$prefix/share/bash-completion/completions/postrider"
put 755 "$here/postrider.init" "$destdir${INIT_DIR:-/etc/init.d}/postrider"
[ -e "$destdir/etc/postrider/postrider.conf" ] ||
    put 644 "$here/postrider.conf" "$destdir/etc/postrider/postrider.conf"

# What sendmail needs before the server has run for the first time: docs/formats/maildrop.md says why these modes.
mkdir -p "$destdir/var/lib/postrider/maildrop"
chmod 755 "$destdir/var/lib/postrider"
chmod 1733 "$destdir/var/lib/postrider/maildrop"

if [ "${COMPRESS:-}" = yes ]; then
    find "$man" -type f -name '*postrider*.[1-8]' | while read -r page; do
        gzip -9nf "$page"
    done
fi

#!/bin/sh
# place take|give [NAME ...]: the names of the old programs (sendmail, postconf, doveadm ...) as alternatives of the system:
# `take` offers ours for each, `give` takes the offer back, so that the other's counts again. Without names: all.
# A name that is another package's own file is left alone. The priority is below that of other mail servers: where one
# is installed it keeps its place until an administrator chooses (`--set mta` or `--config mta`) or removes it.
set -eu
prefix=@prefix@
priority=20

for tool in alternatives update-alternatives; do
    command -v "$tool" >/dev/null && break
done
if ! command -v "$tool" >/dev/null; then
    echo "place: neither alternatives nor update-alternatives is here; link the names in $prefix by hand" >&2
    exit 1
fi

page() { # NAME SECTION: our manual page of it, as it lies there
    for file in "$prefix/share/man/man$2/$1.postrider.$2.gz" "$prefix/share/man/man$2/$1.postrider.$2"; do
        [ -e "$file" ] && echo "$file" && return
    done
}

with_page() { # LINK-SECTION GROUP NAME SECTION: the words that add a manual page as a slave
    file=$(page "$3" "$4")
    [ -z "$file" ] && return
    echo "--slave /usr/share/man/man$1/$3.$1${file##*.$4} $2 $file"
}

take() { # FOLDER NAME SECTION
    link=/usr/$1/$2
    if [ -e "$link" ] && ! [ -L "$link" ]; then
        echo "place: $link is another package's: left alone"
        return
    fi
    group=$2 more=
    case $2 in
    sendmail)
        # The group and its members are named as other mail servers name them.
        group=mta
        more="--slave /usr/bin/mailq mta-mailq $prefix/bin/mailq.postrider
              --slave /usr/bin/newaliases mta-newaliases $prefix/bin/newaliases.postrider
              --slave /usr/lib/sendmail mta-sendmail $prefix/sbin/sendmail.postrider
              $(with_page 1 mta-mailqman mailq 1) $(with_page 1 mta-newaliasesman newaliases 1)
              $(with_page 8 mta-sendmailman sendmail 1)"
        ;;
    mailq | newaliases) return ;; # members of mta
    *) more=$(with_page "$3" "$2.$3" "$2" "$3") ;;
    esac
    # shellcheck disable=SC2086
    "$tool" --install "$link" "$group" "$prefix/$1/$2.postrider" "$priority" $more
}

give() { # FOLDER NAME SECTION
    group=$2
    case $2 in
    sendmail) group=mta ;;
    mailq | newaliases) return ;;
    esac
    "$tool" --remove "$group" "$prefix/$1/$2.postrider" || :
}

action=${1:-}
[ "$action" = take ] || [ "$action" = give ] || {
    echo "usage: place take|give [NAME ...]" >&2
    exit 2
}
shift
while read -r folder name section; do
    case " $* " in
    "  " | *" $name "*) "$action" "$folder" "$name" "$section" ;;
    esac
done <"$prefix/lib/postrider/faces"

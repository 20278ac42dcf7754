# bash completion of postrider(8): commands, the words behind them and the old programs' names are those of `postrider help`.

_postrider_words() { # PROGRAM COMMAND: the words behind it, or with "" all commands and names
    local said line
    said=$("$1" help 2>/dev/null)
    if [[ -z $2 ]]; then
        sed -n 's/^  \([a-z][a-z-]*\).*/\1/p' <<<"$said"
        echo "-c -h -V --config --help --version --postfix --dovecot --sasl"
        return
    fi
    case $2 in
    serve | config) echo "--postfix --dovecot --sasl" ;;
    postfix) echo "start stop reload status check abort flush" ;;
    doveadm) echo "auth kick mailbox pw reload stop user who" ;;
    esac
    while IFS= read -r line; do
        [[ $line != "The old programs"* ]] || break
        [[ $line != "  $2 "* ]] || grep -oE -- '(--?)?\b[a-z][a-z0-9-]*' <<<"${line#"  $2 "}"
    done <<<"$said"
}

_postrider() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command= i
    COMPREPLY=()
    case $before in
    -c | --config | --dovecot | --sasl | --inbox | --output)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    --postfix)
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        return
        ;;
    esac
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -c | --config | --postfix | --dovecot | --sasl) ((i++)) ;;
        -*) ;;
        *)
            command=${COMP_WORDS[i]}
            break
            ;;
        esac
    done
    mapfile -t COMPREPLY < <(compgen -W "$(_postrider_words "${COMP_WORDS[0]}" "$command")" -- "$word")
    if [[ $command == import && ${#COMPREPLY[@]} == 0 ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -F _postrider postrider

# bash completion of postrider(8); the words are those of `postrider help`, which a test compares.
_postrider() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command= i
    local commands="serve config user queue mailbox import status reload version help"
    local faces="sendmail doveadm testsaslauthd mailq newaliases postqueue postsuper postfix postconf postmap"
    local options="-c -h -V --config --help --version --postfix --dovecot --sasl"

    COMPREPLY=()
    case $before in
    -c | --config | --dovecot | --sasl | --inbox)
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

    local words=
    case $command in
    "") words="$commands $faces $options" ;;
    serve) words="--postfix --dovecot --sasl" ;;
    config) words="check show import manual -v --json --postfix --dovecot --sasl" ;;
    user) words="add del passwd test list --password-stdin --json" ;;
    queue) words="list show flush hold release delete all --json" ;;
    mailbox) words="list --json" ;;
    import) words="maildir mbox --user --mailbox --inbox --layout --all" ;;
    status) words="--json" ;;
    postfix) words="start stop reload status check abort flush" ;;
    doveadm) words="auth kick mailbox pw reload stop user who" ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
    if [[ $command == import && ${#COMPREPLY[@]} == 0 ]]; then
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}
complete -F _postrider postrider

# bash completion for sandpiper-cli
_sandpiper_cli()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} words="" i
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        words="accounts ls create suspend resume terminate keys hostkeys shell exec pty forward forwards fs get put cp sync proxy ssh-config serve doctor --help --version"
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
        return
    fi
    # Behind -- stands the remote command.
    for ((i = 2; i < COMP_CWORD; i++)); do
        [ "${COMP_WORDS[i]}" = -- ] && return
    done
    case $command:$prev in
        shell:--via) words="ssh pty" ;;
        exec:--via | serve:--via) words="ssh api" ;;
        forward:--way) words="auto ssh tunnel bridge" ;;
        accounts:add) words="tensorlake" ;;
        keys:--type) words="ed25519 rsa" ;;
        *:--account | *:--image | *:--cpus | *:--memory | *:--disk | *:--timeout | *:--name | *:--api-url | *:--proxy-url | \
            *:--organization | *:--project | shell:--shell | shell:--cwd | shell:--env | shell:--term | *:--ssh-port | shell:--detach-keys | ls:--label | forward:-[LRD] | fs:-m | *:--limit)
            return ;;
    esac
    if [ -z "$words" ]; then
        case $command in
            accounts) words="--json --name --api-url --proxy-url --organization --project" ;;
            ls) words="--account --all --label --json" ;;
            create) words="--account --image --cpus --memory --disk --timeout --no-wait --json" ;;
            suspend | resume | terminate) words="--no-wait --json" ;;
            keys) words="--account --type --json" ;;
            hostkeys) words="--json" ;;
            shell) words="--via --shell --cwd --env --term --ssh-port -A --detach-keys" ;;
            exec) words="-t -n --via --" ;;
            ssh-config) words="--write --yes --proxy --ssh-port" ;;
            pty) words="--json --" ;;
            forward) words="-L -R -D -f --limit --way --name --json" ;;
            forwards) words="--all --json" ;;
            get | put | cp) words="-r --conflict --links --limit --resume --sync --verify --json" ;;
            sync) words="--delete --dry-run --exclude --checksum --json" ;;
            fs) words="-l -0 -L -p -m -f -s --sync --json" ;;
            serve) words="--stdio --listen --via --host-key --authorized-keys --user --no-sftp" ;;
            doctor) words="--json" ;;
            proxy) ;;
            *) return ;;
        esac
        words+=" --help"
        if [ "$COMP_CWORD" -eq 2 ]; then
            case $command in
                accounts) words+=" ls add rm" ;;
                keys) words+=" ls add rm generate" ;;
                hostkeys) words+=" ls forget add" ;;
                pty) words+=" ls create get attach resize wait kill" ;;
                forwards) words+=" ls stop" ;;
                fs) words+=" ls stat cat write mkdir rm rmdir mv ln readlink realpath chmod df" ;;
            esac
        fi
        case $command in
            suspend | resume | terminate | shell | exec | pty | forward | fs | get | put | cp | sync | proxy | ssh-config | serve | doctor)
                # Asks all accounts, so only where a name is being typed. Names have no spaces.
                case $cur in
                    -*) ;;
                    *) words+=" $(sandpiper-cli ls 2>/dev/null | awk 'NR > 1 && /^[^ ]+( [^ ]+)*  +[a-z0-9-]+ / { sub(/^[^ ]+( [^ ]+)*  +/, ""); print $1 }')" ;;
                esac ;;
        esac
    fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    if [ "$command" = keys ] && [ "${COMP_WORDS[2]}" = add ] && [ "$COMP_CWORD" -ge 4 ]; then
        compopt -o filenames 2>/dev/null
        local files
        mapfile -t files < <(compgen -f -- "$cur")
        COMPREPLY+=("${files[@]}")
    fi
}
complete -F _sandpiper_cli sandpiper-cli

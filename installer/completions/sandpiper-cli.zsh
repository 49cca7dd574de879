#compdef sandpiper-cli
# zsh completion for sandpiper-cli

_sandpiper_cli_targets() {
    local -a names
    # Names have no spaces; the account in front of them may.
    names=(${(f)"$(sandpiper-cli ls 2>/dev/null | awk 'NR > 1 && /^[^ ]+( [^ ]+)*  +[a-z0-9-]+ / { sub(/^[^ ]+( [^ ]+)*  +/, ""); print $1 }')"})
    compadd -a names
}

_sandpiper_cli() {
    local curcontext=$curcontext state line
    local -a commands
    commands=(
        'accounts:accounts of this user'
        'ls:sandboxes of all accounts'
        'create:makes a sandbox'
        'suspend:puts a sandbox to sleep'
        'resume:wakes a sandbox'
        'terminate:ends a sandbox for good'
        'keys:SSH keys, at vendors and here'
        'hostkeys:host keys this computer knows'
        'shell:an interactive shell'
        'exec:one command'
        'pty:PTY sessions in a sandbox'
        'forward:port forwards, as ssh makes them'
        'forwards:the port forwards that run'
        'fs:files in a sandbox'
        'get:fetch files and folders'
        'put:send files and folders'
        'cp:copy between any two places'
        'sync:make a folder as another is'
        'proxy:SSH transport, for ProxyCommand'
        'ssh-config:Host blocks for ssh and editors'
        'serve:a local SSH endpoint for a sandbox'
        'doctor:walks the layers and says the first that fails'
    )
    _arguments -C '(- *)--help[say what there is]' '(- *)--version[print the version]' \
        '1:command:->command' '*::argument:->argument'
    case $state in
        command) _describe -t commands command commands ;;
        argument)
            case $words[1] in
                accounts)
                    _arguments '--help' '--json[one JSON document]' '--name[what to call it]:name:' '--api-url[another address]:url:' \
                        '--proxy-url[the in-sandbox address]:url:' '--organization[with a personal token]:id:' \
                        '--project[with a personal token]:id:' '1:what:(ls add rm)' '2:vendor or name:(tensorlake)' ;;
                ls)
                    _arguments '--help' '--account[only this one]:account:' '--all[terminated ones too]' '*--label[only with this label]:label:' '--json[one JSON document]' ;;
                create)
                    _arguments '--help' '--account[where]:account:' '--image[image]:image:' '--cpus[processors]:number:' \
                        '--memory[MiB of memory]:MiB:' '--disk[MiB of disk]:MiB:' '--timeout[seconds; 0: never]:seconds:' \
                        '--no-wait[do not wait until it runs]' '--json[one JSON document]' '1:name:' ;;
                suspend | resume | terminate)
                    _arguments '--help' '--no-wait[do not wait for the new state]' '--json[one JSON document]' \
                        '1:target:_sandpiper_cli_targets' ;;
                keys)
                    _arguments '--help' '--account[where]:account:' '--type[of a new key]:type:(ed25519 rsa)' '--json[one JSON document]' '1:what:(ls add rm generate)' \
                        '2:name or id:' '3:public key file:_files' ;;
                shell)
                    _arguments '--help' '--via[route]:route:(ssh pty)' '--shell[another program]:path:' '--cwd[where it starts]:folder:' \
                        '*--env[added to its environment]:NAME=VALUE:' '--term[its TERM]:term:' \
                        '--ssh-port[SSH server inside the sandbox]:port:' '-A[programs there may use your SSH agent]' '--detach-keys[keys that let go]:keys:' \
                        '1:target:_sandpiper_cli_targets' ;;
                exec)
                    _arguments '--help' '-t[with a terminal]' '-n[without input]' '--via[route]:route:(ssh api)' '1:target:_sandpiper_cli_targets' ;;
                pty)
                    _arguments '--help' '--json[one JSON document]' '1:what:(ls create get attach resize wait kill)' \
                        '*:session, size or target:_sandpiper_cli_targets' ;;
                fs)
                    _arguments '--help' '--json[one JSON document]' '-l[with mode, owner, size and time]' '-0[NUL behind each name]' \
                        '-L[what a link leads to]' '-p[and the folders above it]' '-m[mode of what is made, in octal]:mode:' \
                        '-f[over what is there]' '-s[a symbolic link]' '--sync[until it is on the disk there]' \
                        '1:what:(ls stat cat write mkdir rm rmdir mv ln readlink realpath chmod df)' \
                        '*:target and path:_sandpiper_cli_targets' ;;
                get|put|cp)
                    _arguments '--help' '--json[one JSON document]' '-r[folders too]' '--conflict[where something is there already]:what:(ask overwrite skip newer rename)' \
                        '--links[connections at once]:number:(1 2 4 8)' '--limit[bytes for each second]:rate:' '--sync[on the disk before it has its name]' \
                        '--resume[go on with what was left unfinished]' '--verify[compare at the end]' \
                        '*:file or target and path:_files' ;;
                sync)
                    _arguments '--help' '--json[one JSON document]' '--delete[what is only there goes]' '--dry-run[only say what would be done]' \
                        '*--exclude[leave out]:pattern:' '--checksum[read where only the time differs]' '*:folder or target and path:_files' ;;
                ssh-config)
                    _arguments '--help' '--write[keep them, included from ~/.ssh/config]' '--yes[agree to the one line in ~/.ssh/config]' \
                        '--proxy[through sandpiper-cli proxy]' '--ssh-port[SSH server inside the sandbox]:port:' \
                        '*:target:_sandpiper_cli_targets' ;;
                serve)
                    _arguments '--help' '(--listen)--stdio[serve one client on standard input and output]' \
                        '(--stdio)--listen[serve on this address]:address and port:' '--via[route]:route:(ssh api)' \
                        '--host-key[the private key of the server]:file:_files' \
                        '--authorized-keys[the public keys that may enter]:file:_files' \
                        '--user[the only user name]:user:' '--no-sftp[refuse SFTP]' '1:target:_sandpiper_cli_targets' ;;
                forward)
                    _arguments '--help' '--json[one JSON object for each event]' '*-L[listen here]:forward:' \
                        '*-R[listen there]:forward:' '*-D[a SOCKS proxy here]:forward:' '-f[go on in the background]' '--limit[bytes a second, for each]:rate:' '--way[how they get there]:way:(auto ssh tunnel bridge)' '--name[what forwards calls them]:name:' \
                        '1:target:_sandpiper_cli_targets' ;;
                forwards)
                    _arguments '--help' '--json[one JSON document]' '--all[stop all of them]' '1:what:(ls stop)' '2:name:' ;;
                proxy)
                    _arguments '--help' '1:target:_sandpiper_cli_targets' ;;
                hostkeys)
                    _arguments '--help' '--json[one JSON document]' '1:what:(ls forget add)' '2:host or line:' ;;
                doctor)
                    _arguments '--help' '--json[one JSON document]' '1:target:_sandpiper_cli_targets' ;;
            esac ;;
    esac
}

_sandpiper_cli "$@"

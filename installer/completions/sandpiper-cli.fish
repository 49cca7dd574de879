# fish completion for sandpiper-cli
function __sandpiper_cli_targets
    # Names have no spaces; the account in front of them may.
    sandpiper-cli ls 2>/dev/null | awk 'NR > 1 && /^[^ ]+( [^ ]+)*  +[a-z0-9-]+ / { sub(/^[^ ]+( [^ ]+)*  +/, ""); print $1 }'
end

complete -c sandpiper-cli -f
complete -c sandpiper-cli -n __fish_use_subcommand -l help -d 'Say what there is'
complete -c sandpiper-cli -n __fish_use_subcommand -l version -d 'Print the version'
complete -c sandpiper-cli -n __fish_use_subcommand -a accounts -d 'Accounts of this user'
complete -c sandpiper-cli -n __fish_use_subcommand -a ls -d 'Sandboxes of all accounts'
complete -c sandpiper-cli -n __fish_use_subcommand -a create -d 'Makes a sandbox'
complete -c sandpiper-cli -n __fish_use_subcommand -a suspend -d 'Puts a sandbox to sleep'
complete -c sandpiper-cli -n __fish_use_subcommand -a resume -d 'Wakes a sandbox'
complete -c sandpiper-cli -n __fish_use_subcommand -a terminate -d 'Ends a sandbox for good'
complete -c sandpiper-cli -n __fish_use_subcommand -a keys -d 'SSH keys, at vendors and here'
complete -c sandpiper-cli -n __fish_use_subcommand -a hostkeys -d 'Host keys this computer knows'
complete -c sandpiper-cli -n __fish_use_subcommand -a shell -d 'An interactive shell'
complete -c sandpiper-cli -n __fish_use_subcommand -a exec -d 'One command'
complete -c sandpiper-cli -n __fish_use_subcommand -a pty -d 'PTY sessions in a sandbox'
complete -c sandpiper-cli -n __fish_use_subcommand -a forward -d 'Port forwards, as ssh makes them'
complete -c sandpiper-cli -n __fish_use_subcommand -a forwards -d 'The port forwards that run'
complete -c sandpiper-cli -n __fish_use_subcommand -a fs -d 'Files in a sandbox'
complete -c sandpiper-cli -n __fish_use_subcommand -a get -d 'Fetch files and folders'
complete -c sandpiper-cli -n __fish_use_subcommand -a put -d 'Send files and folders'
complete -c sandpiper-cli -n __fish_use_subcommand -a proxy -d 'SSH transport, for ProxyCommand'
complete -c sandpiper-cli -n __fish_use_subcommand -a ssh-config -d 'Host blocks for ssh and editors'
complete -c sandpiper-cli -n __fish_use_subcommand -a serve -d 'A local SSH endpoint for a sandbox'
complete -c sandpiper-cli -n __fish_use_subcommand -a doctor -d 'Walks the layers and says the first that fails'

complete -c sandpiper-cli -n 'not __fish_use_subcommand' -l help -d 'Say more of the command'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from suspend resume terminate shell exec pty forward fs get put proxy ssh-config serve doctor' -a '(__sandpiper_cli_targets)'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from accounts ls create suspend resume terminate keys hostkeys pty forward forwards fs get put doctor' -l json -d 'One JSON document'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from create suspend resume terminate' -l no-wait -d 'Do not wait for the new state'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from ls create keys' -l account -x -d Account

complete -c sandpiper-cli -n '__fish_seen_subcommand_from accounts' -a 'ls add rm'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from accounts; and __fish_seen_subcommand_from add' -a tensorlake
complete -c sandpiper-cli -n '__fish_seen_subcommand_from accounts' -l name -x -d 'What to call it'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from accounts' -l api-url -x -d 'Another address'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from accounts' -l proxy-url -x -d 'The in-sandbox address'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from accounts' -l organization -x -d 'With a personal token'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from accounts' -l project -x -d 'With a personal token'

complete -c sandpiper-cli -n '__fish_seen_subcommand_from ls' -l label -x -d 'Only with this label'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from ls' -l all -d 'Terminated ones too'

complete -c sandpiper-cli -n '__fish_seen_subcommand_from create' -l image -x -d 'Image or template'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from create' -l cpus -x -d 'Number of processors'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from create' -l memory -x -d 'MiB of memory'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from create' -l disk -x -d 'MiB of disk'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from create' -l timeout -x -d 'Seconds; 0: never'

complete -c sandpiper-cli -n '__fish_seen_subcommand_from keys' -l type -x -a 'ed25519 rsa' -d 'Type of a new key'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from keys' -a 'ls add rm generate'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from keys; and __fish_seen_subcommand_from add' -F

complete -c sandpiper-cli -n '__fish_seen_subcommand_from hostkeys' -a 'ls forget add'

complete -c sandpiper-cli -n '__fish_seen_subcommand_from shell' -l via -x -a 'ssh pty' -d 'Route'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from shell' -l shell -x -d 'Another program than the usual shell'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from shell' -l cwd -x -d 'Where it starts'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from shell' -l env -x -d 'NAME=VALUE'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from shell' -l term -x -d 'Its TERM'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from shell' -l ssh-port -x -d 'SSH server inside the sandbox'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from shell' -s A -d 'Programs there may use your SSH agent'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from shell' -l detach-keys -x -d 'Keys that let go of it'

complete -c sandpiper-cli -n '__fish_seen_subcommand_from exec' -s t -d 'With a terminal'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from exec' -s n -d 'Without input'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from exec' -l via -x -a 'ssh api' -d 'Route'

complete -c sandpiper-cli -n '__fish_seen_subcommand_from forward' -s L -x -d 'Listen here'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from forward' -s R -x -d 'Listen there'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from forward' -s D -x -d 'A SOCKS proxy here'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from forward' -s f -d 'Go on in the background'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from forward' -l name -x -d 'What forwards calls them'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from forwards' -a 'ls stop'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from forwards' -l all -d 'Stop all of them'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from serve' -l stdio -d 'Serve one client on standard input and output'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from serve' -l listen -x -d 'Serve on this address'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from serve' -l via -x -a 'ssh api' -d 'Route'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from serve' -l host-key -r -d 'The private key of the server'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from serve' -l authorized-keys -r -d 'The public keys that may enter'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from serve' -l user -x -d 'The only user name'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from serve' -l no-sftp -d 'Refuse SFTP'

complete -c sandpiper-cli -n '__fish_seen_subcommand_from pty' -a 'ls create get attach resize wait kill'

complete -c sandpiper-cli -n '__fish_seen_subcommand_from fs' -a 'ls stat cat write mkdir rm rmdir mv ln readlink realpath chmod df'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from fs' -s l -d 'With mode, owner, size and time'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from fs' -s 0 -d 'NUL behind each name'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from fs' -s L -d 'What a link leads to'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from fs' -s p -d 'And the folders above it'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from fs' -s m -x -d 'Mode of what is made, in octal'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from fs' -s f -d 'Over what is there'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from fs' -s s -d 'A symbolic link'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from fs' -l sync -d 'Until it is on the disk there'

complete -c sandpiper-cli -n '__fish_seen_subcommand_from ssh-config' -l write -d 'Keep them, included from ~/.ssh/config'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from ssh-config' -l yes -d 'Agree to the one line in ~/.ssh/config'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from ssh-config' -l proxy -d 'Through sandpiper-cli proxy'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from ssh-config' -l ssh-port -x -d 'SSH server inside the sandbox'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from get put' -s r -d 'Folders too'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from get put' -l conflict -x -a 'ask overwrite skip newer rename' -d 'Where something is there already'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from get put' -l links -x -a '1 2 4 8' -d 'Connections at once'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from get put' -l limit -x -d 'Bytes for each second'
complete -c sandpiper-cli -n '__fish_seen_subcommand_from get put' -l sync -d 'On the disk before it has its name'

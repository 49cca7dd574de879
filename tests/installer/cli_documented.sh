#!/bin/sh
# Every command and every option that sandpiper-cli knows is in its man page, in docs/cli.md and in the
# completions of three shells. The programs are in $SANDPIPER_BIN, the sources in $SANDPIPER_SOURCE.
set -u
cli=${SANDPIPER_BIN:?}/sandpiper-cli
source=${SANDPIPER_SOURCE:?}
failed=0

complain() {
    echo "$*" >&2
    failed=1
}

# The words of the first column, between the line of headings and the empty line behind the table.
help=$("$cli" --help) || { echo "$cli --help failed" >&2; exit 1; }
commands=$(printf '%s\n' "$help" | awk '/^COMMAND/ { inside = 1; next } inside && NF == 0 { exit } inside { print $1 }')
[ "$(printf '%s\n' "$commands" | wc -l)" -ge 5 ] || { echo "--help does not list the commands as expected" >&2; exit 1; }

man=$source/installer/sandpiper-cli.1
page=$source/docs/cli.md
completions=$source/installer/completions/sandpiper-cli

# $1: file, $2: extended regular expression, $3: what is missing
has() { grep -Eq -e "$2" "$1" || complain "$1 does not know $3"; }

for command in $commands; do
    has "$man" "^\\.It Cm $command( |\$)" "the command $command"
    has "$page" "^    sandpiper-cli $command( |\$)" "the command $command"
    has "$completions.bash" "(^|[^a-z-])$command([^a-z-]|\$)" "the command $command"
    has "$completions.zsh" "^ *'$command:" "the command $command"
    has "$completions.fish" "__fish_use_subcommand -a $command( |\$)" "the command $command"

    own=$("$cli" "$command" --help) || { complain "$cli $command --help failed"; continue; }
    options=$(printf '%s\n' "$own" | awk '$1 ~ /^-/ { for (i = 1; i <= 2; i++) { o = $i; sub(/,$/, "", o); if (o ~ /^-[A-Za-z]$/ || o ~ /^--[a-z-]+$/) print o } }')
    for option in $options; do
        case $option in -h | --help | --help-all) continue ;; esac
        name=${option#-}
        name=${name#-}
        has "$man" "Fl (-)?$name( |\$)" "$command $option"
        has "$page" "(^|[^a-z-])$option([^a-z-]|\$)" "$command $option"
        has "$completions.bash" "(^|[^a-z-])$option([^a-z-]|\$)" "$command $option"
        has "$completions.zsh" "$option\\[" "$command $option"
        has "$completions.fish" "from [a-z ]*${command}[a-z ]*(; [a-z_ ]*)?' -[ls] $name( |\$)" "$command $option"
    done
done
[ "$failed" -eq 0 ] && echo "All commands and options are documented."
exit "$failed"

"""Completion scripts for bash and zsh, made from the table of commands.

Commands, options and keys are in the script itself. Apps, config vars and SSH keys are requested
from the server when needed, without ever prompting for a password or waiting long.
"""

from collections.abc import Sequence

from paas.domain.routing.router_settings import KEYS
from paas.domain.values.errors import usage_error
from paas.entrypoints.laptop.command_lines import CommandLine
from paas.entrypoints.laptop.commands import COMMANDS
from paas.entrypoints.laptop.topics import TOPICS

# What both shells share: `_paas_values COMMAND PREVIOUS APP...` prints what may follow, a line
# each. APP: the options -a, -r or --server that are on the line already.
_VALUES = """\
_paas_ask() {{
    local ssh="${{PAAS_SSH:-ssh}} -o BatchMode=yes -o ConnectTimeout=3"
    PAAS_SSH="$ssh" paas "$@" 2>/dev/null </dev/null
}}
_paas_values() {{
    local command="$1" previous="$2"
    shift 2
    case "$previous" in
        -a|--app) _paas_ask apps "$@"; return ;;
        -r|--remote) git remote 2>/dev/null; return ;;
    esac
    case "$command" in
        help) printf '%s\\n' {helped} ;;
        completion) printf '%s\\n' bash zsh ;;
        nginx:set) printf '%s\\n' {keys} ;;
        keys:remove) _paas_ask keys "$@" | grep -o 'SHA256:[^ ]*' ;;
        config:get|config:unset)
            _paas_ask config --json "$@" | sed -n 's/^  "\\([A-Za-z0-9_]*\\)": .*/\\1/p' ;;
    esac
}}
"""

_BASH = """\
# paas completion for bash: add to ~/.bashrc:  source <(paas completion bash)
{values}
_paas() {{
    local line="${{COMP_LINE:0:COMP_POINT}}" command="" options="" previous="" found seen at
    local word="${{line##*[[:space:]]}}"
    local -a words=(${{line% *}}) app=()
    for ((at = 1; at < ${{#words[@]}}; at++)); do
        seen="${{words[at]}}"
        previous="$seen"
        case "$seen" in
            -a|--app|-r|--remote|--server)
                if ((at + 1 < ${{#words[@]}})); then
                    app+=("$seen" "${{words[at + 1]}}")
                    previous=""
                    ((at++))
                fi
                continue ;;
        esac
        [[ -n "$command" ]] && continue
        case "$seen" in
{cases}
        esac
    done
    if [[ -z "$command" && "$previous" != -* ]]; then
        found="{names}"
    elif [[ "$word" == -* ]]; then
        found="$options"
    else
        found="$(_paas_values "$command" "$previous" "${{app[@]}}")"
        [[ -n "$found" ]] || found="$options"
    fi
    mapfile -t COMPREPLY < <(compgen -W "$found" -- "$word")
    # Readline ends words at a colon, so return only what follows it.
    local before="${{word%"${{word##*:}}"}}"
    COMPREPLY=("${{COMPREPLY[@]#"$before"}}")
}}
complete -F _paas paas
"""

_ZSH = """\
#compdef paas
# paas completion for zsh: add to ~/.zshrc, after compinit:  source <(paas completion zsh)
{values}
_paas() {{
    local -a commands options app found
    local command="" previous="" at
    commands=(
{commands}
    )
    for ((at = 2; at < CURRENT; at++)); do
        previous="${{words[at]}}"
        case "$previous" in
            -a|--app|-r|--remote|--server)
                if ((at + 1 < CURRENT)); then
                    app+=("$previous" "${{words[at + 1]}}")
                    previous=""
                    ((at++))
                fi ;;
            *) [[ -n "$command" ]] || command="$previous" ;;
        esac
    done
    if [[ -z "$command" && "$previous" != -* ]]; then
        _describe -t commands 'paas command' commands
        return
    fi
    case "$command" in
{cases}
    esac
    if [[ "${{words[CURRENT]}}" != -* ]]; then
        found=(${{(f)"$(_paas_values "$command" "$previous" "${{app[@]}}")"}})
        if (( ${{#found}} )); then
            compadd -- "${{found[@]}}"
            return
        fi
    fi
    (( ${{#options}} )) && compadd -- "${{options[@]}}" || _default
}}
compdef _paas paas
"""


def script(shell: str, commands: Sequence[CommandLine] = COMMANDS) -> str:
    """The script for ``bash`` or ``zsh``. Raises PaasError (exit 2) for another shell."""
    names = [command.name for command in commands]
    helped = " ".join([*(topic for topic in TOPICS if topic not in names), *names])
    values = _VALUES.format(helped=helped, keys=" ".join(key.name for key in KEYS))
    if shell == "bash":
        return _bash(commands, values)
    if shell == "zsh":
        return _zsh(commands, values)
    raise usage_error(
        "completion-shell", f"There is completion for bash and zsh, not for {shell!r}."
    )


def _bash(commands: Sequence[CommandLine], values: str) -> str:
    cases = "\n".join(
        f"            {c.name}) command={c.name}; options='{_options(c)}' ;;" for c in commands
    )
    return _BASH.format(cases=cases, names=" ".join(c.name for c in commands), values=values)


def _zsh(commands: Sequence[CommandLine], values: str) -> str:
    listed = "\n".join(
        "        '{}:{}'".format(c.name.replace(":", "\\:"), c.summary.replace("'", "'\\''"))
        for c in commands
    )
    cases = "\n".join(f"        {c.name}) options=({_options(c)}) ;;" for c in commands)
    return _ZSH.format(commands=listed, cases=cases, values=values)


def _options(command: CommandLine) -> str:
    where = ("-r", "--remote") if "-a" in command.options else ()
    return " ".join((*command.options, *where, "--help"))

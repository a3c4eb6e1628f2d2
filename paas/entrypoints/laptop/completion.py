"""Completion scripts for bash and zsh, made from the table of commands; they ask no server."""

from collections.abc import Sequence

from paas.domain.errors import usage_error
from paas.entrypoints.laptop.commands import COMMANDS, CommandLine

_BASH = """\
# paas completion for bash: add to ~/.bashrc:  source <(paas completion bash)
_paas() {{
    local word="${{COMP_LINE:0:COMP_POINT}}" command="" options="" seen
    word="${{word##*[[:space:]]}}"
    for seen in ${{COMP_LINE#* }}; do
        case "$seen" in
{cases}
        esac
        [[ -n "$command" && "$seen" != "$word" ]] && break
    done
    if [[ -n "$command" && "$command" != "$word" ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -W "{names}" -- "$word")
    fi
    # Readline takes a colon for the end of a word: give only what comes after it.
    local before="${{word%"${{word##*:}}"}}"
    COMPREPLY=("${{COMPREPLY[@]#"$before"}}")
}}
complete -F _paas paas
"""

_ZSH = """\
#compdef paas
# paas completion for zsh: add to ~/.zshrc, after compinit:  source <(paas completion zsh)
_paas() {{
    local -a commands
    commands=(
{commands}
    )
    if (( CURRENT == 2 )); then
        _describe -t commands 'paas command' commands
        return
    fi
    case "${{words[2]}}" in
{cases}
        *) _default ;;
    esac
}}
compdef _paas paas
"""


def script(shell: str, commands: Sequence[CommandLine] = COMMANDS) -> str:
    """The script for ``bash`` or ``zsh``. Raises PaasError (exit 2) for another shell."""
    if shell == "bash":
        return _bash(commands)
    if shell == "zsh":
        return _zsh(commands)
    raise usage_error(
        "completion-shell", f"There is completion for bash and zsh, not for {shell!r}."
    )


def _bash(commands: Sequence[CommandLine]) -> str:
    cases = "\n".join(
        f"            {c.name}) command={c.name}; options='{_options(c)}' ;;" for c in commands
    )
    return _BASH.format(cases=cases, names=" ".join(c.name for c in commands))


def _zsh(commands: Sequence[CommandLine]) -> str:
    listed = "\n".join(
        "        '{}:{}'".format(c.name.replace(":", "\\:"), c.summary.replace("'", "'\\''"))
        for c in commands
    )
    cases = "\n".join(f"        {c.name}) compadd -- {_options(c)} ;;" for c in commands)
    return _ZSH.format(commands=listed, cases=cases)


def _options(command: CommandLine) -> str:
    extra = ("bash", "zsh") if command.name == "completion" else ()
    return " ".join((*extra, *command.options, "--help"))

"""The scripts by which shells complete the command, one per shell.

Each one asks the command itself, which prints a word per line, with a tab and a description behind
it where there is one; and each quotes a word as its shell needs it, for a name may hold spaces.
"""

from __future__ import annotations

from typing import Final

# Typer prints plain lines in answer to what it calls the fish protocol; quoting is the scripts'.
_ASK: Final = (
    "env _WINTUN_API_COMPLETE=complete_fish _TYPER_COMPLETE_FISH_ACTION=get-args "
    "_TYPER_COMPLETE_ARGS="
)

BASH: Final = (
    r"""
_wintun_api_completion() {
    local line=${COMP_LINE:0:COMP_POINT} word quoted=
    # Bash closes quotation marks that the user has opened, and adds no other quotes inside them.
    [[ ${COMP_WORDS[COMP_CWORD]} == [\"\']* ]] && quoted=yes
    COMPREPLY=()
    while IFS=$'\t' read -r word _; do
        [[ -n $word ]] || continue
        [[ -n $quoted ]] || printf -v word %q "$word"
        COMPREPLY+=("$word")
    done < <("""
    + _ASK
    + r""""$line" "$1" 2>/dev/null)
}
complete -o default -F _wintun_api_completion wintun-api
"""
)

ZSH: Final = (
    r"""
#compdef wintun-api
_wintun_api_completion() {
    local line tab=$'\t'
    local -a found shown
    for line in "${(@f)$("""
    + _ASK
    + r""""${words[1,CURRENT]}" wintun-api 2>/dev/null)}"; do
        [[ -n $line ]] || continue
        found+=("${line%%$tab*}")
        if [[ $line == *$tab* ]]; then
            shown+=("${line%%$tab*}  -- ${line#*$tab}")
        else
            shown+=("$line")
        fi
    done
    if (( $#found )); then
        compadd -l -d shown -a found
    else
        _files
    fi
}
compdef _wintun_api_completion wintun-api
"""
)

FISH: Final = (
    r"""
function __wintun_api_completion
    set -l found ("""
    + _ASK
    + r"""(commandline -cp | string collect) wintun-api 2>/dev/null)
    if test -n "$found"
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete --command wintun-api --no-files --arguments '(__wintun_api_completion)'
"""
)

POWERSHELL: Final = r"""
Register-ArgumentCompleter -Native -CommandName wintun-api -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $line = $commandAst.ToString()
    if ($cursorPosition -gt $line.Length) { $line += ' ' }
    $env:_WINTUN_API_COMPLETE = 'complete_fish'
    $env:_TYPER_COMPLETE_FISH_ACTION = 'get-args'
    $env:_TYPER_COMPLETE_ARGS = $line
    try {
        wintun-api 2>$null | Where-Object { $_ } | ForEach-Object {
            $word, $about = $_ -split "`t", 2
            if (-not $about) { $about = $word }
            $quoted = $word
            if ($word -match '[^\w.:/=-]') { $quoted = "'" + $word.Replace("'", "''") + "'" }
            [System.Management.Automation.CompletionResult]::new(
                $quoted, $word, 'ParameterValue', $about)
        }
    } finally {
        $env:_WINTUN_API_COMPLETE = $null
        $env:_TYPER_COMPLETE_FISH_ACTION = $null
        $env:_TYPER_COMPLETE_ARGS = $null
    }
}
"""

_SCRIPTS: Final = {
    "bash": BASH,
    "zsh": ZSH,
    "fish": FISH,
    "powershell": POWERSHELL,
    "pwsh": POWERSHELL,
}


def script(shell: str) -> str:
    """Return the script of a shell."""
    return _SCRIPTS[shell].strip()

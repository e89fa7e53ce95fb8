"""The container's health check: `wintun-api health` with the flags that the service was given.

Variables and the file of settings are those of the container; flags are only in the command line of
its first process.
"""

from pathlib import Path

from wintun_api.cli import app

FLAGS = ("--config", "--host", "--port", "--data-dir", "--tls-certificate")


def flags_of(command: list[str]) -> list[str]:
    """Return the flags in a command line of the service that say where it is."""
    if not any(Path(word).name in ("wintun-api", "wintun_api") for word in command):
        return []
    found = []
    for word, value in zip(command, [*command[1:], ""], strict=True):
        if word in FLAGS:
            found += [word, value]
        elif word.partition("=")[0] in FLAGS:
            found.append(word)
    return found


def first_process() -> list[str]:
    """Return the command line of the container's first process (proc_pid_cmdline(5))."""
    try:
        return Path("/proc/1/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


if __name__ == "__main__":
    app(["health", *flags_of(first_process())])

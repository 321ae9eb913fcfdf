"""The system user that the embedded server runs as: PostgreSQL refuses to run as root."""

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from specwright.model.errors import ConfigError

_TRAVERSE = stat.S_IXGRP | stat.S_IXOTH


class Privileges(TypedDict, total=False):
    """The arguments of `subprocess.Popen` that drop privileges."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True, slots=True)
class Account:
    """A user and group; `drop` says whether the server must be started as somebody we are not."""

    uid: int
    gid: int
    drop: bool

    @property
    def privileges(self) -> Privileges:
        """What `subprocess.Popen` needs to start a process as this account."""
        return Privileges(user=self.uid, group=self.gid, extra_groups=[]) if self.drop else Privileges()


def account(data: Path, project: Path) -> Account:
    """Who the server of this data directory runs as.

    An ordinary user runs it as themselves. Root runs it as the owner of the data directory, else of the
    project, else as `nobody`: no user is added to the system.

    Raises:
        ConfigError: the data directory belongs to somebody else.
    """
    owner = data.stat() if data.exists() else None
    if (own := os.geteuid()) != 0:
        if owner is not None and owner.st_uid != own:
            raise ConfigError(
                f"{data} belongs to {_name(owner.st_uid)}: run as that user, or remove the directory"
                " to start with an empty database."
            )
        return Account(own, os.getegid(), drop=False)
    for place in (owner, project.stat()):
        if place is not None and place.st_uid != 0 and _known(place.st_uid):
            return Account(place.st_uid, pwd.getpwuid(place.st_uid).pw_gid, drop=True)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise ConfigError(
            "PostgreSQL refuses to run as root, and this system has no user `nobody` to run it as:"
            " run specwright as an ordinary user, or set DATABASE_URL."
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid, drop=True)


def open_way(path: Path, to: Account) -> None:
    """Let the account pass through (not list) the directories above `path`; only root needs to.

    Raises:
        ConfigError: a directory cannot be opened.
    """
    for parent in path.parents if to.drop else ():
        held = parent.stat()
        if held.st_uid == to.uid or held.st_mode & _TRAVERSE == _TRAVERSE:
            continue
        try:
            parent.chmod(stat.S_IMODE(held.st_mode) | _TRAVERSE)
        except OSError as error:
            raise ConfigError(
                f"The embedded PostgreSQL runs as {_name(to.uid)}, who cannot pass through {parent}"
                f" ({error.strerror}): run specwright as an ordinary user, or set DATABASE_URL."
            ) from None


def open_tree(directory: Path, to: Account) -> None:
    """Let the account read and run the files below `directory`; only root needs to, after a strict umask."""
    if not to.drop or directory.stat().st_mode & stat.S_IROTH:
        return
    for path in (directory, *directory.rglob("*")):
        if not path.is_symlink():
            mode = stat.S_IMODE(path.stat().st_mode)
            path.chmod(mode | (mode & 0o500) >> 3 | (mode & 0o500) >> 6)


def _known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _name(uid: int) -> str:
    return f"user {pwd.getpwuid(uid).pw_name}" if _known(uid) else f"user id {uid}"

"""SE01: the key that tokens are signed with is long, cannot be guessed, and stands in no file."""

import ast
import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

from specwright.model.errors import Origin
from specwright.verify.check import Check
from specwright.verify.lab import Lab, NotRun
from specwright.verify.people.credentials import Credential
from specwright.verify.people.forging import extra, token_of
from specwright.verify.people.guarded import guarded
from specwright.verify.people.known_secrets import common_secret, project_files, written_secret
from specwright.verify.people.tokens import Key, Token
from specwright.verify.result import Result

#: RFC 7518 §3.2: as long as the hash of HS256.
_LENGTH = 32
_NAMES = re.compile(r"secret|signing|jwt_?key|token_?key|private_?key", re.I)
_SUBJECT = "the key of tokens"


async def run(lab: Lab) -> AsyncIterator[Result]:
    """Guess, without a request, the key of a real token; then sign another with it, and see it taken."""
    fallbacks: list[tuple[Origin, str]] = []
    if lab.folder is not None:
        fallbacks = await asyncio.to_thread(_fallbacks, await project_files(lab.folder), lab.folder)
    for where, name in fallbacks:
        says = f"{name} has a value in the code for when nothing is set"
        yield replace(CHECK.suspected(str(where), says, case=name), source=where)
    credential, token = token_of(lab)
    if not token.shared:
        yield CHECK.proved(_SUBJECT, f"tokens are signed with {token.algorithm}: the app holds no secret")
        return
    secret = common_secret(token)
    if secret is not None:
        says = f"the key is guessed: {secret!r}" if secret else "the key is empty"
        yield await _broken(lab, credential, token, secret, says)
        return
    written = await written_secret(token, lab.folder) if lab.folder is not None else None
    if written is not None:
        secret, where = written
        broken = await _broken(lab, credential, token, secret, f"the key stands in {where}")
        yield replace(broken, source=where)
        return
    if isinstance(lab.signer, Key) and len(lab.signer.key.encode()) < _LENGTH:
        says = f"the key has {len(lab.signer.key.encode())} bytes; {token.algorithm} wants {_LENGTH} or more"
        yield await _broken(lab, credential, token, lab.signer.key, says)
        return
    if fallbacks:
        why = "another key than that in the code is set here: which it is where the app runs cannot be seen"
        yield CHECK.not_run(_SUBJECT, why)
        return
    searched = " and stands in no file of the project" if lab.folder is not None else ""
    yield CHECK.proved(_SUBJECT, f"the key is none of those that are tried first{searched}")


async def _broken(lab: Lab, credential: Credential, token: Token, secret: str, says: str) -> Result:
    """The finding, with a token that was made with the key and is taken.

    Raises:
        NotRun: it is not taken, or there is nothing to try it on.
    """
    claims = {**token.claims, "exp": int(token.claims["exp"]) + 1} if "exp" in token.claims else token.claims
    made = Key(secret, token.algorithm).sign(claims, extra(token))
    async for each in guarded(lab):
        probe = await each.request.sent(lab, credential.forged(made, "a token made with the key"))
        if not probe.succeeded:
            raise NotRun(f"{says}, and yet a token made with it is refused", probe)
        return CHECK.broken(_SUBJECT, says, each.accepted, each.refused, probe)
    raise AssertionError("guarded() raises where there is nothing")


def _fallbacks(files: list[Path], folder: Path) -> list[tuple[Origin, str]]:
    """Where code has a text for a secret that its surroundings do not give, and the secret's name."""
    return [
        (Origin(str(file.relative_to(folder)), node.lineno), name)
        for file in files
        if file.suffix == ".py" and not any("test" in part for part in file.relative_to(folder).parts)
        for node, name in _literals(file)
    ]


def _literals(file: Path) -> Iterator[tuple[ast.expr | ast.stmt, str]]:
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(attr="getenv" | "get"),
                args=[ast.Constant(value=str(name)), ast.Constant(value=str(value))],
            ) if value and _NAMES.search(name) and "env" in ast.unparse(node.func):
                yield node, name
            case ast.ClassDef():
                yield from _defaults(node)


def _defaults(node: ast.ClassDef) -> Iterator[tuple[ast.stmt, str]]:
    """Fields of a settings class that are a text where nothing is set."""
    if not any("Settings" in ast.unparse(base) for base in node.bases):
        return
    for each in node.body:
        match each:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(value))) if (
                value and _NAMES.search(name)
            ):
                yield each, name


CHECK = Check(
    id="SE01",
    name="weak secret",
    sentence="The key that tokens are signed with cannot be guessed, and stands in no file of the project.",
    severity=3,
    references=("OWASP API2:2023", "ASVS 13.3.1", "RFC 7518 §3.2", "CWE-798"),
    remedy="Read a key of 32 random bytes from the environment, and do not start without it.",
    run=run,
)

"""From a target to a lab: the app is started or found, its surface read, its people signed in."""

import ipaddress
import re
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any, cast
from urllib.parse import urlsplit

import httpx2

from specwright.db.url import Dsn
from specwright.model.errors import ConfigError
from specwright.verify.lab import PATIENCE, Lab
from specwright.verify.obstacles import refuse_if_nothing_works
from specwright.verify.people.cast import players
from specwright.verify.people.confidential import declared_secrets, settings_secrets
from specwright.verify.people.declared import Instructions, Start, read_instructions
from specwright.verify.people.doors import find_doors
from specwright.verify.people.people import ANONYMOUS, People
from specwright.verify.people.signing_in import Reception
from specwright.verify.people.tenants import found
from specwright.verify.people.tokens import Key
from specwright.verify.policy.granted import Granted, specified
from specwright.verify.policy.meant import Meant
from specwright.verify.policy.stored import Stored
from specwright.verify.policy.unknown import refuse_unknown
from specwright.verify.project import Project
from specwright.verify.rows.bodies import Bodies
from specwright.verify.rows.exploring import explore
from specwright.verify.rows.making import RowMaker
from specwright.verify.stage.interpreter import environment_of, runnable
from specwright.verify.stage.stage import Stage, staged
from specwright.verify.surface.collections import find_collections
from specwright.verify.surface.introspected import operations
from specwright.verify.surface.mapped import mapped
from specwright.verify.surface.openapi import read_openapi, security_schemes
from specwright.verify.surface.surface import Operation, Surface

#: Where apps publish their OpenAPI document.
_DOCUMENTS = ("/openapi.json", "/api/v1/openapi.json", "/api/openapi.json", "/v1/openapi.json")
_URL = re.compile(r"https?://", re.I)


@asynccontextmanager
async def lab(
    target: str | Project,
    folder: Path | None = None,
    people: Path | None = None,
    *,
    seed: int = 0,
    anywhere: bool = False,
    database: Dsn | None = None,
    python: Path | None = None,
) -> AsyncIterator[Lab]:
    """A lab for a project, for `module:app`, each in a process of its own, or for a URL.

    A module is found in `folder`, by default where we are. `people` is a people.toml; `anywhere` lets the URL
    lead off this machine. `database` is a server for throw-away databases instead of an embedded one.
    `python` is what a module's app is installed for: by default that of a virtual environment in its folder,
    or else ours.

    Raises:
        ConfigError: the target cannot be verified, and why.
        NotStaged: the app does not start.
    """
    instructions = read_instructions(people) if people is not None else Instructions()
    async with _client() as client:
        if isinstance(target, Project):
            start = instructions.app
            environment = {**start.environment, **target.environment}
            async with staged(target.target, target.root, environment, target.prepare, database) as stage:
                made = await _of_project(target, stage, client, instructions, seed)
                try:
                    if people is not None:
                        refuse_unknown(instructions.policy, made.surface, people, hidden=False)
                    yield made
                finally:
                    if isinstance(made.policy, Granted):
                        made.policy.stored.close()
        elif is_url(target):
            if people is not None and instructions.app != Start():
                raise ConfigError(f"{people}: [app] says how an app is started, and {target} runs already.")
            base = _base(target, anywhere=anywhere)
            document = await _document(client, base)
            made = _bare(base, read_openapi(document), client, instructions, seed)
            if people is not None:
                refuse_unknown(instructions.policy, made.surface, people, hidden=True)
            # Whoever signed up in a run before is still there.
            cast(RowMaker, made.maker).bodies = Bodies(Random(time.time_ns()))
            yield await _furnished(made, security_schemes(document), instructions)
        else:
            start = instructions.app
            folder = folder or Path.cwd()
            own = environment_of(folder) if python is None else runnable(python)
            async with staged(target, folder, start.environment, start.prepare, database, own) as stage:
                if python is None and own is not None:
                    stage.notes.append(f"{own.relative_to(folder)} is there: the app runs with it.")
                made = _bare(stage.base, operations(stage.inventory), client, instructions, seed)
                made.surface = cast(RowMaker, made.maker).surface = mapped(made.surface, stage.mappers)
                if people is not None:
                    refuse_unknown(instructions.policy, made.surface, people, hidden=False)
                made.inside, made.folder = stage, folder
                yield await _furnished(made, _schemes(stage), instructions)


def is_url(target: str) -> bool:
    """Whether a target is that of an app that runs already."""
    return _URL.match(target) is not None


def _bare(
    base: str, served: tuple[Operation, ...], client: httpx2.AsyncClient, said: Instructions, seed: int
) -> Lab:
    """A lab that nobody is in yet."""
    random = Random(seed)
    surface = Surface(served, find_collections(served))
    nobody = People(ANONYMOUS, ANONYMOUS)
    maker = RowMaker(surface, Bodies(random))
    signer = Key(said.secret.key, said.secret.algorithm) if said.secret is not None else None
    return Lab(
        base,
        surface,
        nobody,
        maker,
        Meant(surface, said.policy),
        client,
        signer=signer,
        random=random,
        secrets=declared_secrets(said),
    )


async def _furnished(made: Lab, schemes: Mapping[str, Mapping[str, Any]], instructions: Instructions) -> Lab:
    """The lab with people in it, and with what they saw when they looked around.

    Raises:
        ConfigError: the people of people.toml cannot sign in, or nothing works.
    """
    maker = cast(RowMaker, made.maker)
    reception = Reception(made, maker, instructions, find_doors(made.surface.operations, schemes))
    made.people = await reception.people()
    doors = frozenset(reception.doors.used)
    made.policy = Meant(made.surface, instructions.policy, doors)
    shown = await explore(made, maker)
    made.policy = Meant(made.surface, instructions.policy, doors, shown)
    if not made.incidents.seen:
        await refuse_if_nothing_works(made)
    return made


async def _of_project(
    project: Project, stage: Stage, client: httpx2.AsyncClient, instructions: Instructions, seed: int
) -> Lab:
    made = _bare(stage.base, operations(stage.inventory), client, instructions, seed)
    maker = cast(RowMaker, made.maker)
    made.secrets |= settings_secrets(project.environment)
    made.inside, made.folder, made.manifest, made.signer = (
        stage,
        project.root,
        project.manifest,
        project.signer,
    )
    made.surface = maker.surface = specified(made.surface, project.manifest)
    made.people = players(project.manifest, project.credentials)
    meant = Meant(made.surface, instructions.policy)
    tenant = project.manifest.tenant
    tenants = {} if tenant is None else await found(made, project.manifest, tenant, project.credentials)
    await explore(made, maker)
    meant.surface = made.surface
    if stage.database is not None:
        stored = Stored(stage.database, project.manifest)
        granted = Granted(project.manifest, stored, meant, tenants, made.probes)
        made.policy, maker.made_one = granted, granted.look
    return made


def _schemes(stage: Stage) -> dict[str, Mapping[str, Any]]:
    return {
        name: scheme
        for document in stage.inventory.documents.values()
        for name, scheme in security_schemes(document).items()
    }


def _client() -> httpx2.AsyncClient:
    """No proxy of the environment, no redirects, no cookies carried from person to person."""
    return httpx2.AsyncClient(timeout=PATIENCE, trust_env=False, follow_redirects=False)


def _base(url: str, *, anywhere: bool) -> str:
    """The URL, which leads to this machine unless it was said that it may lead anywhere.

    Raises:
        ConfigError: it does not.
    """
    host = urlsplit(url).hostname or ""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback and not anywhere:
        raise ConfigError(
            f"{host} is not this machine: rows are made there, and attacks tried. Nothing was sent."
        )
    return url.rstrip("/")


async def _document(client: httpx2.AsyncClient, base: str) -> Any:
    """The OpenAPI document of a running app.

    Raises:
        ConfigError: it has none, or does not answer.
    """
    said = ""
    for path in _DOCUMENTS:
        try:
            answer = await client.get(base + path)
        except httpx2.HTTPError as error:
            raise ConfigError(f"{base} does not answer: {error or type(error).__name__}.") from None
        if answer.status_code == 200:
            try:
                return answer.json()
            except ValueError:
                kind = answer.headers.get("content-type", "nothing that says what it is")
                raise ConfigError(f"{base}{path} answers {kind}, not an OpenAPI document.") from None
        if answer.is_redirect:
            to = answer.headers.get("location", "nowhere")
            said = f"{base}{path} leads to {to}: give that URL instead"
        said = said or f"{base}{path} answers {answer.status_code}"
    raise ConfigError(f"No OpenAPI document is found: {said}.")

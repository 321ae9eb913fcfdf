"""The requirements of a spec, each proved by its examples on a fresh, empty database."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from difflib import get_close_matches

import httpx2

from specwright.model.errors import ConfigError
from specwright.model.manifest import Manifest
from specwright.model.requirement import Requirement
from specwright.verify.check import all_checks
from specwright.verify.requirements.evidence import Evidence, Exchange
from specwright.verify.requirements.examples import PATIENCE, Credentials, Examples
from specwright.verify.requirements.memory import Memory
from specwright.verify.result import Standing

#: Serves the app on an empty database for as long as the context lasts; gives its base URL.
Serve = Callable[[], AbstractAsyncContextManager[str]]


def choose(manifest: Manifest, only: Sequence[str]) -> tuple[Requirement, ...]:
    """The requirements of these keys (`FR-003`, or `tasks/FR-003` where two features have it); all without.

    Raises:
        ConfigError: no requirement has a key.
    """
    known = {name for requirement in manifest.requirements for name in (requirement.key, requirement.id)}
    checks = {name for check in all_checks() for name in (check.id, check.name)}
    for key in only:
        if key not in known:
            close = get_close_matches(key, sorted(known | checks), 1)
            hint = f"Did you mean {close[0]}?" if close else "`specwright checks` lists the checks."
            raise ConfigError(f"No check or requirement is called {key}. {hint}")
    return tuple(
        requirement
        for requirement in manifest.requirements
        if not only or requirement.key in only or requirement.id in only
    )


async def prove(
    manifest: Manifest, requirements: Sequence[Requirement], serve: Serve, credentials: Credentials
) -> AsyncGenerator[Evidence]:
    """Evidence for each requirement, as it is found.

    What breaks is tried once more on fresh data, so that an answer that changes from run to run is told
    from one that is wrong.
    """
    # A plain client: no proxy of the environment, no redirects, no cookies carried from person to person.
    async with httpx2.AsyncClient(timeout=PATIENCE, trust_env=False, follow_redirects=False) as client:
        for requirement in requirements:
            if not requirement.examples:
                yield Evidence(requirement, Standing.NOT_RUN, why="it has no example")
                continue
            found = await _try(manifest, requirement, serve, credentials, client)
            if found.failure is not None and found.failure.exchange is not None:
                again = await _try(manifest, requirement, serve, credentials, client)
                if again.failure is None:
                    said = f"{found.failure.reason} The second run passed: the answer is not always the same."
                    found = replace(found, failure=replace(found.failure, reason=said.strip()))
            yield found


async def _try(
    manifest: Manifest,
    requirement: Requirement,
    serve: Serve,
    credentials: Credentials,
    client: httpx2.AsyncClient,
) -> Evidence:
    exchanges: list[Exchange] = []
    async with serve() as base:
        client.cookies.clear()
        examples = Examples(manifest, client, base, credentials, Memory())
        for number, example in enumerate(requirement.examples, 1):
            exchange, failure = await examples.run(example)
            if exchange is not None:
                exchanges.append(exchange)
            if failure is not None:
                failure = replace(failure, left_out=len(requirement.examples) - number)
                return Evidence(requirement, Standing.BROKEN, tuple(exchanges), failure)
    return Evidence(requirement, Standing.PROVED, tuple(exchanges))

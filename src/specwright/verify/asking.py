"""A request on its way: it comes back with its answer, or with why there is none."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace

import httpx2

from specwright.verify.result import Probe

#: Bytes of an answer that are kept.
_KEPT = 256 * 1024


async def ask(
    client: httpx2.AsyncClient, base: str, probe: Probe, headers: Mapping[str, str], patience: float
) -> Probe:
    """The probe with what came within so many seconds; an answer that does not end is none."""
    probe = replace(probe, status=None, answer=b"", answer_headers=(), trouble="")
    begun = False

    async def exchange() -> httpx2.Response:
        nonlocal begun
        url, method = base + probe.path, probe.method
        request = client.build_request(method, url, headers=headers, content=probe.body, timeout=patience)
        answer = await client.send(request, stream=True)
        begun = True
        try:
            await answer.aread()
        finally:
            await answer.aclose()
        return answer

    began = time.monotonic()
    try:
        answer = await asyncio.wait_for(exchange(), patience)
    except (TimeoutError, httpx2.TimeoutException):
        what = "no end of the answer" if begun else "no answer"
        answered = replace(probe, trouble=f"{what} within {patience:g} seconds")
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        answered = replace(probe, trouble=f"the connection broke: {error or type(error).__name__}")
    else:
        shown = tuple(answer.headers.multi_items())
        content = answer.content[:_KEPT]
        answered = replace(probe, status=answer.status_code, answer_headers=shown, answer=content)
    return replace(answered, seconds=time.monotonic() - began)

"""The routes of /docs: the page, its files and, in development, tokens and the access matrix."""

from collections.abc import Callable, Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from specwright.api.docs import ASSET_CACHING, CONTENT_SECURITY_POLICY, asset, page
from specwright.api.problems import Problem
from specwright.model.manifest import Manifest
from specwright.write.access_page import as_html, content_security_policy
from specwright.write.matrix import access_matrix

#: Makes a token for one of the people of the development page.
IssueToken = Callable[[str], str]


def documentation_routes(
    title: str,
    openapi_url: str,
    people: Sequence[str],
    issue_token: IssueToken | None,
    matrix_of: Manifest | None = None,
) -> list[Route]:
    """`/docs`, `/docs/FILE` and, with a way to issue tokens, `/docs/token?person=NAME`.

    With a manifest, `/docs/access` shows who may do what.
    """

    async def show_page(request: Request) -> Response:
        base = request.scope.get("root_path", "")
        content = page(title, openapi_url=openapi_url, base=base, people=people if issue_token else ())
        headers = {"content-security-policy": CONTENT_SECURITY_POLICY, "cache-control": "no-store"}
        return Response(content, headers=headers, media_type="text/html")

    async def show_asset(request: Request) -> Response:
        found = asset(request.path_params["name"])
        if found is None:
            raise Problem("not_found")
        headers = {"cache-control": ASSET_CACHING, "x-content-type-options": "nosniff"}
        return Response(found.content, headers=headers, media_type=found.media_type)

    async def show_token(request: Request) -> Response:
        person = request.query_params.get("person")
        if issue_token is None or person is None or person not in people:
            raise Problem("not_found")
        return JSONResponse({"token": issue_token(person)}, headers={"cache-control": "no-store"})

    async def show_access(_: Request) -> Response:
        if matrix_of is None:
            raise Problem("not_found")
        headers = {"content-security-policy": content_security_policy(), "cache-control": "no-store"}
        return Response(as_html(access_matrix(matrix_of)), headers=headers, media_type="text/html")

    return [
        Route("/docs", show_page, include_in_schema=False),
        Route("/docs/token", show_token, include_in_schema=False),
        Route("/docs/access", show_access, include_in_schema=False),
        Route("/docs/{name}", show_asset, include_in_schema=False),
    ]

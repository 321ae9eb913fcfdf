"""`Backend`: a spec and its settings put together as an ordinary FastAPI application."""

import logging
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, TypeVar

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import Response
from fastapi.routing import iter_route_contexts
from fastapi.telemetry import TelemetryConfig
from starlette.exceptions import HTTPException

from specwright.api import problems
from specwright.api.body import Bodies
from specwright.api.dispatch import Dispatch
from specwright.api.documentation import IssueToken, documentation_routes
from specwright.api.edge import Edge
from specwright.api.endpoints import Endpoints
from specwright.api.exchange import problem_reply
from specwright.api.hooked import Moment
from specwright.api.hooks import Binding, Hooks
from specwright.api.layer import Layer
from specwright.api.openapi import build
from specwright.api.parameters import Parameters
from specwright.api.problems import FieldError, Problem
from specwright.api.service import Service
from specwright.api.tenancy import Tenancy
from specwright.auth import Authentication, issue_development_token
from specwright.db.pool import Database
from specwright.db.session import Sessions
from specwright.db.url import normalise
from specwright.model.errors import ConfigError
from specwright.model.manifest import Manifest
from specwright.model.roles import expanded
from specwright.read.declared import Allowed, Declaration, DeclaredTenant, declaration, declared_tenant
from specwright.read.project import read_files
from specwright.settings import Settings
from specwright.sql.statements import Statements

LOG = logging.getLogger("specwright")

F = TypeVar("F", bound=Callable[..., Any])


class Backend:
    """The backend of a project: `Backend().app` is a plain FastAPI application.

    Args:
        root: the project, a folder with `specs/`; the working directory unless given.
        settings: the settings; read from the environment and `.env` of the project unless given.
        manifest: what to serve; read from the project's specs and declared classes unless given.

    Raises:
        SpecError: the specs hold mistakes; told when `app` or `manifest` is first asked for.
        ConfigError: a setting is missing or cannot work.
    """

    def __init__(
        self,
        root: Path | str = ".",
        *,
        settings: Settings | None = None,
        manifest: Manifest | None = None,
    ) -> None:
        self.root = Path(root).resolve()
        self.settings = settings or Settings.load(self.root)
        self._given = manifest
        self._declarations: list[Declaration] = []
        self._tenant: DeclaredTenant | None = None
        if self.settings.database_url is None:
            raise ConfigError("DATABASE_URL is not set: name a PostgreSQL database, or run `specwright up`.")
        if self.settings.app_secret is None:
            raise ConfigError("APP_SECRET is not set: it signs cursors; make one of 32 random bytes or more.")
        self.edge = Edge(self.settings)
        self._hooks = Hooks()

    def resource(
        self,
        model: type[Any],
        *,
        grants: Iterable[Allowed] = (),
        rules: Iterable[str] = (),
        fields: Mapping[Any, str] | None = None,
        types: Mapping[Any, str] | None = None,
        calculated: Mapping[str, tuple[str, str]] | None = None,
        audited: bool = False,
        if_match_required: bool = False,
    ) -> None:
        """Serve a class: one of SQLModel, or mapped by SQLAlchemy 2.

        Args:
            model: the class; columns, references and constraints are read from it.
            grants: who may do what, each made by `allow`. Nobody may do what is not granted.
            rules: conditions that every row meets, as `"due is None or due > created_at"`.
            fields: rules of fields that a column cannot tell, as `{Task.project_id: "immutable"}`.
            types: types that a column cannot tell, as `{Task.contact: "email", Task.reviewer_id: "User"}`.
            calculated: fields that nobody stores, by type and rule, as
                `{"overdue": ("boolean", "= `due < now()`"), "remarks": ("integer", "count of comments")}`.
            audited: whether every change of a row leaves one in `specwright.audit`.
            if_match_required: whether a change must name the version of the row that it is based on.

        Raises:
            ConfigError: the backend has been used already.
        """
        if "manifest" in self.__dict__ or self._given is not None:
            raise ConfigError(f"{model.__name__} is declared too late: before backend.app is used, please.")
        lines = {"audited": audited, "if-match required": if_match_required}
        self._declarations.append(declaration(model, grants, rules, fields, types, calculated, lines))

    def tenant(
        self,
        entity: Any,
        *,
        through: Any,
        header: str | None = None,
        claim: str | None = None,
        path: bool = False,
        founder: Mapping[str, object] | None = None,
    ) -> None:
        """Keep the rows of every entity within the tenant that a request names, and is a member of.

        Args:
            entity: the class of the tenants, or the entity's name.
            through: the class of the memberships, which refers to the tenant and to User.
            header: the header that names the tenant, as `X-Organization`.
            claim: the claim of the token that does.
            path: whether the path does: `/organizations/{organization_id}/deals`.
            founder: what the membership of whoever creates a tenant holds; without it they get none.

        Raises:
            ConfigError: none or several of header, claim and path are given, or the backend has been used.
        """
        if "manifest" in self.__dict__ or self._given is not None or self._tenant is not None:
            raise ConfigError("A tenant is declared once, and before backend.app is used.")
        ways = {"header": header, "claim": claim, "path": "" if path else None}
        self._tenant = declared_tenant(entity, through, ways, founder)

    def before(self, model: Any, action: str) -> Callable[[F], F]:
        """Call the function before each `create`, `update` or `delete`, in its transaction.

        It takes the row (`task: Task`) as it is going to be stored. What it changes there is validated and
        stored. An exception rolls back all of it.

        Args:
            model: the class of the row, of SQLModel or SQLAlchemy, or the entity's name.

        Raises:
            ConfigError: there is no such entity or action, or the function takes what there is not; told at
                the latest when the application starts.
        """
        return self._bound("before", model, action)

    def after(self, model: Any, action: str) -> Callable[[F], F]:
        """Call the function after each `create`, `update` or `delete`, in its transaction.

        It takes the row as it is stored, or was. An exception rolls back all of it.

        Raises:
            ConfigError: as `before`.
        """
        return self._bound("after", model, action)

    def action(self, model: Any) -> Callable[[F], F]:
        """Bind the function to the action of its name, which the spec declares and grants.

        Raises:
            ConfigError: the spec declares no such action of this entity, with other parameters, or without a
                grant; told at the latest when the application starts.
        """
        return self._bound("action", model)

    def _bound(self, moment: Moment | Literal["action"], model: Any, action: str = "") -> Callable[[F], F]:
        def bind(function: F) -> F:
            self._hooks.bind(Binding(moment, model, action or function.__name__, function))
            return function

        return bind

    @cached_property
    def manifest(self) -> Manifest:
        """Everything that specs and classes say, complete from the first time it is asked for."""
        return self._given or read_files(self.root, self._declarations, self._tenant)

    @cached_property
    def service(self) -> Service:
        """What the derived routes work with."""
        return _service(self.manifest, self.settings)

    @cached_property
    def dispatch(self) -> Dispatch:
        """The derived routes."""
        endpoints = [Endpoints(self.service, resource) for resource in self.manifest.served]
        dispatch = Dispatch(self.service.contract.prefix, endpoints)
        self._hooks.install(self.manifest, dispatch)
        return dispatch

    @cached_property
    def app(self) -> FastAPI:
        """The application; routes may be added to it."""
        return self._application()

    def _application(self) -> FastAPI:
        title = self.manifest.features[0].title if self.manifest.features else "API"
        app = FastAPI(
            title=title, lifespan=self._lifespan, docs_url=None, redoc_url=None, telemetry=_telemetry()
        )
        development = self.settings.environment == "development"
        app.add_middleware(
            Layer, service=self.service, dispatch=self.dispatch, edge=self.edge, explains=development
        )
        for expected in (HTTPException, RequestValidationError, Problem):
            app.add_exception_handler(expected, _handle)
        people = tuple(self.manifest.people)
        matrix_of = self.manifest if development else None
        app.routes.extend(
            documentation_routes(title, "/openapi.json", people, self._issue_token(), matrix_of)
        )
        app.openapi = self._openapi  # type: ignore[method-assign] # FastAPI's own way to extend the document
        return app

    def _issue_token(self) -> IssueToken | None:
        """How the development page signs people in; not at all where the secret is not the one `up` made."""
        if self.settings.environment != "development":
            return None

        def issue(person: str) -> str:
            return issue_development_token(self.settings, person, self.manifest.people[person])

        try:
            issue(next(iter(self.manifest.people), "nobody"))
        except (ConfigError, KeyError):
            return None
        return issue

    @asynccontextmanager
    async def _lifespan(self, app: FastAPI) -> AsyncIterator[None]:
        """Give way to the application's own routes, then serve; the database is opened when first needed."""
        self._hooks.complete(self.manifest)
        for route in iter_route_contexts(app.routes):
            for method in sorted(route.methods or ()):
                if self.dispatch.give_way(method, route.path or ""):
                    LOG.info("%s %s is answered by %s", method, route.path, route.name)
        try:
            yield
        finally:
            await self.service.database.close()
            await self.service.sessions.close()
            await self.service.authentication.close()

    def _openapi(self) -> dict[str, Any]:
        """The document of the derived routes and of the application's own; built when first asked for."""
        app = self.app
        if app.openapi_schema is None:
            own = get_openapi(title=app.title, version=app.version, routes=app.routes)
            people = self.manifest.people if self._issue_token() else ()
            document = build(
                self.manifest,
                title=app.title,
                version=app.version,
                development_people=people,
                actions=self._hooks.described(),
            )
            for path, item in own.get("paths", {}).items():
                document["paths"][path] = document["paths"].get(path, {}) | item
            document["components"]["schemas"] |= own.get("components", {}).get("schemas", {})
            app.openapi_schema = document
        return app.openapi_schema


def _service(manifest: Manifest, settings: Settings) -> Service:
    assert settings.database_url is not None and settings.app_secret is not None
    address = normalise(settings.database_url.get_secret_value())
    sessions = settings.session_database_url
    limits: dict[str, Any] = {
        "size": settings.database_pool_size,
        "acquire_timeout": settings.database_acquire_timeout,
        "statement_timeout": settings.database_statement_timeout,
    }
    statements = Statements(manifest)
    return Service(
        manifest=manifest,
        contract=manifest.contracts[0],
        statements=statements,
        database=Database(address, **limits),
        sessions=Sessions(
            address, scoped=normalise(sessions.get_secret_value()) if sessions else None, **limits
        ),
        authentication=Authentication(settings, partial(expanded, manifest)),
        tenancy=Tenancy(manifest),
        bodies=Bodies(manifest),
        parameters=Parameters(manifest, statements.members),
        secret=settings.app_secret.get_secret_value().encode(),
        max_body=settings.max_body_bytes,
    )


def _telemetry() -> TelemetryConfig | None:
    """FastAPI's own choice where OpenTelemetry's SDK is installed.

    Without it there is nobody to tell, and FastAPI would ask so in every request.
    """
    if find_spec("opentelemetry.sdk") is not None:
        return None
    return {"tracing": False, "metrics": False, "logs": False}


async def _handle(request: Request, error: Exception) -> Response:
    """A refusal by FastAPI or by a hand-written route, in the one shape of all problems."""
    match error:
        case Problem():
            problem = error
        case HTTPException():
            given = (error.headers or {}).items()
            problem = problems.of_status(error.status_code, str(error.detail), given)
        case RequestValidationError():
            problem = problems.validation(_field_errors(error))
        case _:
            raise error
    if problem.status < 400:
        # HTTPException(304) is no refusal.
        return Response(status_code=problem.status, headers=dict(problem.headers))
    reply = problem_reply(problem, request.scope["request_id"])
    headers = {name.decode(): value.decode("latin-1") for name, value in reply.headers}
    return Response(reply.body, reply.status, headers, reply.media_type.decode())


def _field_errors(error: RequestValidationError) -> list[FieldError]:
    return [
        FieldError(".".join(str(part) for part in fault["loc"][1:]), fault["type"], fault["msg"])
        for fault in error.errors()
    ]

"""Python where the spec is silent: which function is bound to what, judged before anything is served."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from specwright.api.actions import BoundAction
from specwright.api.arguments import name_of
from specwright.api.dispatch import Dispatch
from specwright.api.functions import Function, origin_of
from specwright.api.hooked import HOOKED, Hooked, Moment
from specwright.api.instances import resource_of
from specwright.api.schemas import Described
from specwright.model.errors import ConfigError
from specwright.model.manifest import Manifest
from specwright.model.names import hint
from specwright.model.resource import Resource


@dataclass(frozen=True, slots=True)
class Binding:
    """A function, and what it is for; a class or name stands for its entity until there is a manifest."""

    moment: Moment | Literal["action"]
    model: Any
    action: str
    call: Callable[..., Any]


class Hooks:
    """The bindings of one backend. They may come before its routes are made, and after."""

    def __init__(self) -> None:
        self._waiting: list[Binding] = []
        self._routes: tuple[Manifest, Dispatch] | None = None
        self._hooked: dict[str, Hooked] = {}
        self._actions: dict[tuple[str, str], BoundAction] = {}

    def bind(self, binding: Binding) -> None:
        """Take in a binding.

        Raises:
            ConfigError: it cannot be, once there are routes to tell.
        """
        if self._routes is None:
            self._waiting.append(binding)
        else:
            self._install(*self._routes, binding)

    def install(self, manifest: Manifest, dispatch: Dispatch) -> None:
        """Put everything that is bound, or will be, in front of the derived routes.

        Raises:
            ConfigError: something is bound that cannot be.
        """
        self._routes = manifest, dispatch
        for binding in self._waiting:
            self._install(manifest, dispatch, binding)

    def complete(self, manifest: Manifest) -> None:
        """Make sure that every declared action is granted and has its function.

        Raises:
            ConfigError: one is not or has none.
        """
        missing = [
            f"{action.origin} declares the action {action.name} of {resource.name}, and no function is"
            f" bound to it: write @backend.action({resource.name}) above async def {action.name}."
            for resource in manifest.served
            for action in resource.actions
            if (resource.name, action.name) not in self._actions
        ]
        if missing:
            raise ConfigError("\n".join(missing))

    def described(self) -> Mapping[tuple[str, str], Described]:
        """What a document tells of each action, by entity and name."""
        return {place: bound.described() for place, bound in self._actions.items()}

    def _install(self, manifest: Manifest, dispatch: Dispatch, binding: Binding) -> None:
        resource = _resource(manifest, binding)
        if binding.moment == "action":
            self._install_action(manifest, dispatch, resource, binding)
            return
        if binding.action not in HOOKED:
            raise ConfigError(
                f"{origin_of(binding.call)} there is nothing {binding.moment} {binding.action}:"
                f" there are hooks for {', '.join(HOOKED)}."
            )
        function = Function(binding.call, manifest, resource)
        hooked = self._hooked.setdefault(resource.name, Hooked(dispatch.endpoints(resource)))
        hooked.add(binding.moment, binding.action, function)
        for (method, row), handler in hooked.handlers(binding.action).items():
            dispatch.answer(resource, method, handler, row=row)

    def _install_action(
        self, manifest: Manifest, dispatch: Dispatch, resource: Resource, binding: Binding
    ) -> None:
        origin, name = origin_of(binding.call), binding.action
        action = next((known for known in resource.actions if known.name == name), None)
        if action is None:
            close = hint(name, [known.name for known in resource.actions], "It has")
            raise ConfigError(
                f"{origin} binds {name} to {resource.name}, which {resource.origin} declares without such an"
                f" action: add it to a table Action | Takes | Does.{close}"
            )
        if not any(name in grant.actions for grant in resource.grants):
            raise ConfigError(
                f"{origin} binds {name} to {resource.name}, and nobody may do it: {action.origin} declares it"
                f" without any grant. Add a row to Who | May: owner | {name}"
            )
        known = self._actions.get((resource.name, name))
        if known is not None:
            raise ConfigError(
                f"{origin} binds {name} to {resource.name}, and so does {known.function.origin} already."
            )
        given = tuple(name_of(parameter) for parameter in action.parameters)
        function = Function(binding.call, manifest, resource, given)
        bound = BoundAction(dispatch.endpoints(resource), dispatch.endpoints, action, function)
        self._actions[resource.name, name] = bound
        dispatch.add_action(resource, action, bound.run)


def _resource(manifest: Manifest, binding: Binding) -> Resource:
    if isinstance(binding.model, str):
        found = manifest.resource(binding.model) if binding.model in manifest else None
        name = binding.model
    else:
        found = resource_of(manifest, binding.model)
        name = getattr(binding.model, "__name__", str(binding.model))
    if found is None or found.external:
        close = hint(name, [known.name for known in manifest.served], "There are")
        raise ConfigError(f"{origin_of(binding.call)} is bound to {name}, which is no entity.{close}")
    return found

"""What people.toml says of routes and collections that the app does not have."""

from pathlib import Path

from specwright.model.errors import ConfigError
from specwright.model.names import hint
from specwright.verify.people.declared import Declared
from specwright.verify.policy.meant import about
from specwright.verify.surface.surface import Surface


def refuse_unknown(declared: Declared, surface: Surface, file: Path, *, hidden: bool) -> None:
    """`hidden` says that routes may be served that are not in sight.

    Raises:
        ConfigError: [policy] names a route or a collection that is not there.
    """
    names = [collection.name for collection in surface.collections]
    for key, said in (("private", declared.private), ("shared", declared.shared)):
        for name in said:
            if name not in names:
                known = hint(name, names, "There are")
                raise ConfigError(f"{file}: policy: {key}: no collection is called {name}.{known}")
    for key, said in (("public", declared.public), ("admin", declared.admin)):
        for pattern in said:
            if not hidden and not any(about(pattern, operation) for operation in surface.operations):
                labels = [
                    operation.label if " " in pattern else operation.path for operation in surface.operations
                ]
                raise ConfigError(
                    f"{file}: policy: {key}: the app serves no {pattern}.{hint(pattern, labels)}"
                )

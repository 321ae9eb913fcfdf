"""The spec files of a project."""

from collections.abc import Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from specwright.model.errors import ConfigError, Mistake, Origin, SpecError
from specwright.model.manifest import Manifest
from specwright.read.application import ask_application, declares_classes
from specwright.read.declared import Declaration, DeclaredTenant
from specwright.read.spec import ReadCode, read_specs

#: The files of a feature's folder that are read; plans and tasks never are.
FILES = ("spec.md", "data-model.md")


def spec_files(root: Path) -> tuple[Path, ...]:
    """Every `specs/**/spec.md`, and the `data-model.md` beside each."""
    specs = sorted(path for path in (root / "specs").rglob("spec.md") if path.is_file())
    return tuple(path for spec in specs for name in FILES if (path := spec.with_name(name)).is_file())


def spec_digest(root: Path) -> str:
    """What tells the texts of all specs from those a moment later."""
    digest = sha256()
    for path in spec_files(root):
        with suppress(OSError):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(root)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


def read_project(root: Path) -> Manifest:
    """The manifest of a project: of its specs, and of the classes that its code declares.

    Raises:
        ConfigError: there are neither, or one cannot be opened.
        SpecError: every mistake of every file.
    """
    return ask_application(root) if declares_classes(root) else read_files(root)


def read_files(
    root: Path, declarations: Sequence[Declaration] = (), tenant: DeclaredTenant | None = None
) -> Manifest:
    """The manifest of the specs below root and of these classes, in this tenant.

    Raises:
        ConfigError: there are neither, or one cannot be opened.
        SpecError: every mistake of every file.
    """
    files = spec_files(root)
    if not files and not declarations:
        raise ConfigError(f"No spec found: write specs/NAME/spec.md in {root}, or run `specwright init`.")
    texts: dict[str, str] = {}
    mistakes: list[Mistake] = []
    for path in files:
        name = path.relative_to(root).as_posix()
        try:
            content = path.read_bytes()
        except OSError as error:
            raise ConfigError(f"{name} cannot be read: {error.strerror}.") from None
        try:
            texts[name] = content.decode("utf-8")
        except UnicodeDecodeError as error:
            mistakes.append(_not_utf8(name, content, error.start))
    try:
        manifest = read_specs(texts, _code(root, declarations, tenant))
    except SpecError as error:
        # An entity of an unreadable file is missing elsewhere: tell the cause alone.
        raise SpecError(mistakes or error.mistakes) from None
    if mistakes:
        raise SpecError(mistakes)
    return manifest


def _code(root: Path, declarations: Sequence[Declaration], tenant: DeclaredTenant | None) -> ReadCode | None:
    if not declarations and tenant is None:
        return None
    # SQLAlchemy takes its time: a project of specs alone does not wait for it.
    from specwright.read.classes import class_sections

    return lambda mistakes: class_sections(declarations, tenant, root, mistakes)


def _not_utf8(name: str, content: bytes, at: int) -> Mistake:
    before = content[:at]
    line = before.count(b"\n") + 1
    column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
    return Mistake(
        Origin(name, line, column), f"byte 0x{content[at]:02x} is not UTF-8: save the file as UTF-8"
    )

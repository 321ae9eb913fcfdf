"""What a spec leaves open or asks for at its own risk, with the safe default that is in force meanwhile."""

import re
from collections.abc import Iterator
from difflib import get_close_matches

from specwright.model.errors import Origin
from specwright.model.manifest import Manifest
from specwright.model.names import kebab, plural
from specwright.model.pattern import is_bounded
from specwright.model.types import Kind
from specwright.read import access_questions
from specwright.read.question import Question, declared

#: Characters that a text without a bound may have.
TEXT_CAP = 10_000
NOT_FOUND = 404

#: How much of a path must agree with an entity's to be taken for it misspelt.
_NEARLY = 0.75


def questions(manifest: Manifest) -> tuple[Question, ...]:
    """Everything to decide, the most dangerous first; within one kind in reading order."""
    return tuple(
        question
        for ask in (
            _nothing_to_serve,
            access_questions.empty_on_both_sides,
            access_questions.some_and_some_other,
            access_questions.without_grants,
            access_questions.without_read,
            access_questions.unique_over_tenants,
            access_questions.unique_over_owners,
            access_questions.without_founder,
            access_questions.over_the_border,
            _without_on_delete,
            _without_bound,
            access_questions.external_people,
            _plural_headings,
            _unknown_requirements,
            _unknown_paths,
        )
        for question in ask(manifest)
    )


def _nothing_to_serve(manifest: Manifest) -> Iterator[Question]:
    if manifest.features and not any(manifest.served):
        yield Question(
            "nothing-to-serve",
            Origin(manifest.features[0].file, 1),
            "No entity is declared, so there is nothing to serve. What are the rows of this backend?",
            ("a heading as ## Task with a Field | Type | Rules table below it", "leave it so"),
            "write a heading as ## Task, and below it a table with the header Field | Type | Rules",
            "no routes but those of app/main.py",
        )


def _without_on_delete(manifest: Manifest) -> Iterator[Question]:
    for resource, field in declared(manifest):
        target = manifest.resource(field.target) if field.target is not None else None
        if target is not None and not target.external and field.on_delete is None:
            clear = ("on delete clear",) if field.nullable else ()
            yield Question(
                "no-on-delete",
                field.origin,
                f'What becomes of a {resource.name} when the {target.name} in its "{field.name}" is deleted?',
                ("on delete cascade", *clear, "on delete refuse"),
                "on delete clear" if field.nullable else "on delete cascade",
                "on delete refuse: the deletion is a conflict",
            )


def _without_bound(manifest: Manifest) -> Iterator[Question]:
    for resource, field in declared(manifest):
        bounded = field.bounds.most is not None or (field.pattern is not None and is_bounded(field.pattern))
        if field.type.kind is Kind.TEXT and not bounded and field.stored:
            least = field.bounds.least or ""
            yield Question(
                "no-bound",
                field.origin,
                f'How long may "{field.name}" of {resource.name} be?',
                (f"{least}..200", f"{least}..5000"),
                f"write the longest that makes sense, as {least}..200",
                f"at most {TEXT_CAP} characters",
            )


def _plural_headings(manifest: Manifest) -> Iterator[Question]:
    for resource in manifest.served:
        derived = kebab(plural(resource.title))
        if re.search(r"[^sui]s$", resource.title) and resource.path == derived:
            one, many = resource.title[:-1], resource.title.lower()
            yield Question(
                "plural-heading",
                resource.origin,
                f"An entity is named for one row, and {resource.title} looks like many. "
                f"Is its path /{resource.path}?",
                (f"## {one}", f"## {resource.title} ({many})"),
                f"## {one}",
                f"/{resource.path}",
            )


def _unknown_requirements(manifest: Manifest) -> Iterator[Question]:
    keys = {requirement.key for requirement in manifest.requirements}
    for resource in manifest.served:
        for rule in resource.rules:
            for key in rule.requirements:
                if key not in keys:
                    yield Question(
                        "unknown-requirement",
                        rule.origin,
                        f"A rule of {resource.name} stands for {key}, and no requirement has that key. "
                        "Which is meant?",
                        (f"write - **{key}** …", "correct the key"),
                        f"write - **{key}** …",
                        "the rule holds, for no requirement",
                    )


def _unknown_paths(manifest: Manifest) -> Iterator[Question]:
    paths = {resource.path: manifest.route(resource) for resource in manifest.served}
    asked = set()
    for requirement in manifest.requirements:
        for example in requirement.examples:
            first = re.split(r"[/?]", example.request.path.removeprefix("/"))[0]
            close = get_close_matches(first, paths, 1, _NEARLY)
            known = manifest.at(example.request.path) is not None
            if known or not close or first in asked or example.response.status == NOT_FOUND:
                continue
            asked.add(first)
            route = paths[close[0]]
            yield Question(
                "unknown-path",
                example.request.origin,
                f"{requirement.key} asks for {example.request.method} /{first}, and no entity has that path. "
                f"Is /{route} meant?",
                (f"/{route}", f"a route /{first} in app/main.py"),
                f"write {example.request.method} /{route}",
                "it is asked as it is written",
            )

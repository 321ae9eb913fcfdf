"""What an app calls a person, in the form in which a parameter or a member asks for it."""

import re
from typing import Any

from specwright.verify.people.people import Person
from specwright.verify.surface.schemas import kinds, plain, variants
from specwright.verify.surface.surface import Parameter, Schema

#: How parameters are called that say which person is meant.
_PERSON = re.compile(r"user|person|profile|account|owner|author|member|login|handle|nick|e?mail", re.I)


def identity(person: Person, schema: Schema) -> Any:
    """What the person is known as, in the type that is asked for; None where they are not so known."""
    known = sorted(person.known_as, key=lambda each: (len(each), each))
    if any("integer" in kinds(each) for each in variants(plain(schema))):
        return next((int(each) for each in known if each.isdecimal()), None)
    if any(each.get("format") == "uuid" for each in variants(plain(schema))):
        return next((each for each in known if len(each) == 36), None)
    return next((each for each in known if not each.isdecimal() and "@" not in each), None)


def named(person: Person, parameter: Parameter) -> str | None:
    """What a parameter that says who is meant holds for this one; None where it means something else."""
    if not _PERSON.search(parameter.name):
        return None
    if "mail" in parameter.name.lower():
        return next((each for each in sorted(person.known_as) if "@" in each), None)
    found = identity(person, parameter.schema)
    return None if found is None else str(found)

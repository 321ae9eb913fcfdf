"""What of somebody's requests says who they are."""

import jwt
import pytest

from specwright.verify.people.credentials import find_credential
from specwright.verify.people.people import Person

_TOKEN = jwt.encode({"sub": "ada"}, "k" * 32)


@pytest.mark.parametrize(
    ("person", "name", "scheme", "text"),
    [
        (Person("ada", headers={"authorization": f"Bearer {_TOKEN}"}), "authorization", "Bearer ", _TOKEN),
        (Person("ada", headers={"authorization": f"Token {_TOKEN}"}), "authorization", "Token ", _TOKEN),
        (Person("ada", headers={"x-api-key": "k3y"}), "x-api-key", "", "k3y"),
        (Person("ada", headers={"x-tenant": "one", "x-api-key": "k3y"}), "x-api-key", "", "k3y"),
        (Person("ada", cookies={"theme": "dark", "sid": "s1"}), "sid", "", "s1"),
        (Person("ada", headers={"x-csrf-token": "c"}, cookies={"a": _TOKEN}), "a", "", _TOKEN),
    ],
)
def test_the_credential_is_found(person: Person, name: str, scheme: str, text: str) -> None:
    """A token first, then what is called like a credential; tenants and themes are none."""
    found = find_credential(person)
    assert found is not None
    assert (found.name, found.scheme, found.text) == (name, scheme, text)


def test_nobody_has_none() -> None:
    """Where nothing is sent, nothing is found."""
    assert find_credential(Person("nobody")) is None


def test_another_text_takes_its_place_only() -> None:
    """The rest of the request is as it was."""
    person = Person("ada", headers={"authorization": f"Bearer {_TOKEN}", "x-tenant": "one"})
    credential = find_credential(person)
    assert credential is not None
    forged = credential.forged("other", "a changed token")
    assert forged.headers == {"authorization": "Bearer other", "x-tenant": "one"}
    assert forged.name == "ada by a changed token"

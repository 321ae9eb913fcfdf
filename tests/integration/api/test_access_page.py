"""`/docs/access` over a real socket."""

import pytest

from served import NOTES, fresh_database, serving

pytestmark = pytest.mark.any_server


def test_the_matrix_is_a_page_in_development(database_server: str) -> None:
    """It may show its style and do nothing else; whoever serves people does not tell it."""
    with fresh_database(database_server) as database:
        with serving(NOTES, database) as served:
            page = served.anonymous.get("//docs/access")
            assert page.status == 200
            assert b"<caption>Note</caption>" in page.body
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            assert page.headers["content-security-policy"].startswith(
                "default-src 'none'; style-src 'sha256-"
            )
        with serving(NOTES, database, tables=False, environment="production") as served:
            assert served.anonymous.get("//docs/access").status == 404

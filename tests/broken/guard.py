"""What sound twins share, found by the variable PYTHONPATH."""

import json

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError


def guard(app: FastAPI) -> None:
    """Say what is wrong with a request without saying it again: JSON cannot hold NaN, or half a surrogate."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        said = [{name: each[name] for name in ("type", "loc", "msg")} for each in error.errors()]
        return Response(json.dumps({"detail": said}), 422, media_type="application/json")

    app.add_exception_handler(RequestValidationError, refused)

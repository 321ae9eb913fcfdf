"""The two ways in which asking who is calling can fail."""

from specwright.model.errors import SpecwrightError


class Unauthenticated(SpecwrightError):
    """The credential proves nothing: 401. `detail` may be shown to the caller."""

    def __init__(self, detail: str) -> None:
        self.detail = detail
        super().__init__(detail)


class KeysUnavailable(SpecwrightError):
    """The issuer's keys are out of reach, so nothing can be said about the credential: 503."""

    def __init__(self, retry_after: int) -> None:
        self.retry_after = retry_after
        super().__init__("The issuer's keys cannot be reached at the moment.")

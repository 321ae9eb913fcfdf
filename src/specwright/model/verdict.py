"""Verdict: what a request must be answered."""

from dataclasses import dataclass

from specwright.model.grant import Grant


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a request must be answered: the status, why, the fields at fault by their wire names."""

    status: int
    code: str = ""
    fields: tuple[str, ...] = ()
    #: The grant that lets the request pass; None when it is refused.
    grant: Grant | None = None

    @property
    def allowed(self) -> bool:
        """Whether the request succeeds."""
        return self.status < 400


UNAUTHENTICATED = Verdict(401, "unauthenticated")
FORBIDDEN = Verdict(403, "forbidden")
NOT_FOUND = Verdict(404, "not_found")

"""What is asked before rows or values go, and how it is answered."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from specwright.migrate.hazards import Hazard
from specwright.model.errors import UnansweredError


@dataclass(frozen=True, slots=True)
class Question:
    """A hazard that some rows of a database are in; the harmless way out comes first."""

    hazard: Hazard
    rows: int

    def __str__(self) -> str:
        count = "1 row" if self.rows == 1 else f"{self.rows} rows"
        return f"{self.hazard} If you go on, {count} {self.hazard.price}."


#: Asks a person; None where there is nobody to ask.
Ask = Callable[[Question], Awaitable[bool]] | None


class Unanswered(Exception):
    """Leaves a transaction that must not be committed before these are answered."""

    def __init__(self, questions: Iterable[Question]) -> None:
        self.questions = tuple(questions)


async def answers(questions: Iterable[Question], ask: Ask, command: str) -> set[str]:
    """The keys of the questions, each answered with yes; `command` takes `--accept`.

    Raises:
        UnansweredError: an answer was no, or there is nobody to ask.
    """
    if ask is None:
        told = "\n".join(
            f'{question}\n  To go on: {command} --accept "{question.hazard.key}"' for question in questions
        )
        raise UnansweredError(f"Data would be lost, and there is no terminal to ask at:\n{told}")
    for question in questions:
        if not await ask(question):
            raise UnansweredError(f"Nothing has changed. {question.hazard.advice}")
    return {question.hazard.key for question in questions}

"""The application: what the specs say, and whatever is added here."""

from specwright import Backend

backend = Backend()  # specs/ + settings from the environment and .env
app = backend.app  # a plain FastAPI app

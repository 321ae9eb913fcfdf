"""Tasks, code first: the classes say what is stored, and here is who may do what."""

from app.models import Comment, Project, Task

from specwright import Backend, allow, named, owner, role

backend = Backend()  # settings from the environment and .env; requirements from specs/

backend.resource(Project, grants=[allow("everything", to=owner(Project.owner_id))])
backend.resource(
    Task,
    grants=[
        allow("list", "read", "create", "delete", to=owner(Task.owner_id)),
        allow("update", to=owner(Task.owner_id), when="status != 'done'"),
        allow("list", "read", to=role("admin", "looks after the place")),
    ],
    rules=["due is None or due > created_at (FR-004)"],
    calculated={"overdue": ("boolean", '= `due < now() and status != "done"`')},
)
backend.resource(
    Comment,
    grants=[
        allow("everything", to=owner(Comment.author_id)),
        allow("list", "read", to=named("task owner", "task.owner == caller")),
    ],
    fields={Comment.task_id: "immutable"},
)

app = backend.app

"""Readers: from a spec in Markdown to the manifest."""

from specwright.read.project import read_project, spec_files
from specwright.read.spec import read_specs

__all__ = ["read_project", "read_specs", "spec_files"]

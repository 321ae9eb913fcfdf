"""`python -m specwright`, where the console script is not on the path."""

from specwright.cli import main

main()

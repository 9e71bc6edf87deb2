"""What the process of a stage leaves out: the screens that libraries load for command lines of their own."""

import sys
from types import ModuleType


def leave_out_screens() -> None:
    """Keep prompt_toolkit, rich and typer out of this process; call it before the stage is imported.

    `import cel` loads its command line (11 MB) and structlog its colours (4 MB): a stage has no terminal. structlog
    does without rich; the command line of cel is an attribute that nobody asks for. What is loaded already stays.
    """
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # None there: `import rich` raises ImportError
    sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))

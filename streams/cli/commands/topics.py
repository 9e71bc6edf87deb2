"""`leadstream topics`: make, check, mend, list."""

import typer

from schemas.topics import PARTITIONS, TOPICS
from streams.cli.exit_code import ExitCode
from streams.cli.output import AsJson, print_json, print_table, say
from streams.kafka import topics
from streams.kafka.config import qualified
from streams.kafka.finding import Severity

app = typer.Typer(add_completion=False, help="Make, check and list the topics.", no_args_is_help=True)


@app.command()
def create(context: typer.Context, as_json: AsJson = False) -> None:
    """Make the topics that are not there yet. Existing ones are left alone.

    Example: leadstream topics create
    """
    made = topics.create(context.obj.cluster())
    if as_json:
        print_json({"made": made, "existing": len(TOPICS) - len(made)})
    else:
        say(f"{len(made)} topics made, {len(TOPICS) - len(made)} were there. Next: leadstream topics check")


@app.command()
def check(context: typer.Context, as_json: AsJson = False) -> None:
    """Tell what on the cluster could lose, double or reorder data. Exit code 1 if anything could.

    Example: leadstream topics check --json
    """
    found = topics.check(context.obj.cluster())
    errors = sum(finding.severity is Severity.ERROR for finding in found)
    if as_json:
        print_json(found)
    else:
        rows = [(finding.severity.value, finding.what, finding.remedy) for finding in found]
        print_table(("severity", "what", "what to do"), rows, empty="All topics are as they should be.")
    raise typer.Exit(ExitCode.FAILED if errors else ExitCode.OK)


@app.command()
def repair(context: typer.Context, as_json: AsJson = False) -> None:
    """Give existing topics the settings they need. Partition and replica counts can't be mended so.

    Example: leadstream topics repair
    """
    topics.repair(context.obj.cluster())
    check(context, as_json)


@app.command("list")
def list_topics(context: typer.Context, as_json: AsJson = False) -> None:
    """List every topic: what it holds, its key, who writes it. Asks no broker.

    Example: leadstream topics list
    """
    namespace = context.obj.cluster().namespace
    if as_json:
        print_json(
            [
                {"name": qualified(namespace, topic.name), "keyed_by": topic.keyed_by, "holds": topic.holds}
                | {"written_by": topic.written_by, "retention_seconds": topic.retention_seconds}
                | {"partitions": PARTITIONS[topic.keyed_by], "types": topic.types}
                for topic in TOPICS.values()
            ]
        )
        return
    print_table(
        ("topic", "key", "partitions", "kept", "holds"),
        [
            (
                qualified(namespace, topic.name),
                topic.keyed_by.value,
                PARTITIONS[topic.keyed_by],
                f"{topic.retention_seconds // 86_400} d" if topic.retention_seconds else "compacted",
                topic.holds,
            )
            for topic in TOPICS.values()
        ],
    )

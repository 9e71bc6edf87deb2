"""`leadstream manifests`: Kubernetes resources, printed as YAML for whoever applies them."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from streams.cli.output import AsJson, print_json

app = typer.Typer(add_completion=False)


class Part(StrEnum):
    """What to print."""

    TOPICS = "topics"
    USERS = "users"
    STAGES = "stages"
    SCALING = "scaling"


@app.command()
def manifests(
    context: typer.Context,
    part: Annotated[Part, typer.Argument(help="topics, users (both for Strimzi), stages, or scaling (for KEDA).")],
    cluster: Annotated[str, typer.Option(help="Strimzi's name of the Kafka cluster.")] = "kafka",
    as_json: AsJson = False,
) -> None:
    """Print Kubernetes resources as YAML; --namespace prefixes topics, groups and transactional ids.

    deploy/kubernetes has them with the defaults.
    Example: leadstream manifests users --cluster kafka
    """
    if as_json:
        print_json(_resources(part, cluster, context.obj.cluster().namespace))
        return
    typer.echo(rendered(part, cluster, context.obj.cluster().namespace), nl=False)


def rendered(part: Part, cluster: str, namespace: str) -> str:
    """Return the YAML documents of a part."""
    import yaml

    return yaml.safe_dump_all(_resources(part, cluster, namespace), sort_keys=False, explicit_start=True, width=120)


def _resources(part: Part, cluster: str, namespace: str) -> list[dict[str, Any]]:
    from streams.manifests import kafka, scaling, stage

    match part:
        case Part.TOPICS:
            return kafka.topic_resources(cluster, namespace)
        case Part.USERS:
            return kafka.user_resources(cluster, namespace)
        case Part.STAGES:
            return stage.stage_resources()
        case Part.SCALING:
            return scaling.scaling_resources()

"""`leadstream notify`: what people will read, before anything is sent; browsers to push to; deliveries sent again."""

import getpass
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from schemas.delivery import Outcome
from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed, not_found, refused
from streams.cli.output import AsJson, print_json, print_table, say

app = typer.Typer(add_completion=False, help="See what people will be told, and check the texts.", no_args_is_help=True)


@app.command()
def preview(
    context: typer.Context,
    lead: Annotated[str, typer.Argument(metavar="LEAD", help="Lead id, division.person.number.")],
    channel: Annotated[str | None, typer.Option(help="One channel only: slack, email, sms, push, …")] = None,
    templates: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Use these texts, not those of the settings.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show the messages of a lead's last decision that told anybody. Nothing is sent; it shows personal data.

    Example: leadstream notify preview main.4f0c2d6a9b1e4c58a7d3e2f10b9c8d7e.1 --channel slack
    """
    from notifiers.channel import CHANNELS
    from notifiers.preview import preview as shown_of
    from notifiers.sandbox import TemplateRefused
    from notifiers.templates import load
    from schemas.rep import Rep
    from streams.cli.devices import devices_by_rep
    from streams.cli.lead_lookup import decisions_on, lead_meant
    from streams.cli.records import latest

    if channel is not None and channel not in CHANNELS:
        raise CommandFailed(f"There is no channel {channel!r}.", f"Known: {', '.join(CHANNELS)}.", ExitCode.USAGE)
    settings = context.obj.settings()
    try:
        texts = load(templates or settings.channels.templates)
    except TemplateRefused as error:
        raise refused(f"{error}.", "`leadstream notify lint FOLDER` lists everything that is wrong.") from error
    decision = next(
        (one for one in reversed(decisions_on(settings.cluster, lead_meant(settings, lead))) if one.notices), None
    )
    if decision is None:
        say(f"Nobody was told of lead {lead} yet.")
        return
    reps: dict[str, Rep] = {key: row.model for key, row in latest(settings.cluster, "reps").items()}
    browsers = devices_by_rep(settings.cluster)
    messages = tuple(shown_of(decision, channel, reps.get, lambda rep: browsers.get(rep, ()), texts, settings.channels))
    if as_json:
        print_json([asdict(message) for message in messages])
        return
    for message in messages:
        say(f"== {message.notice} to {message.recipient} by {message.channel}")
        if message.reason:
            say(f"not sent: {message.reason}\n")
        else:
            say(f"{message.subject}\n\n{message.text}\n")
    if not messages:
        say(f"The decision of {decision.at:%Y-%m-%d %H:%M:%S} UTC tells nobody by {channel}.")


@app.command()
def lint(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", exists=True, file_okay=False, help="Folder of texts.")],
    as_json: AsJson = False,
) -> None:
    """Find what is wrong with the texts of a folder, with file and line. Exit code 6 if anything is.

    Example: leadstream notify lint texts/
    """
    from notifiers.sample import sample_fields
    from notifiers.templates import lint as problems_of

    problems = problems_of(folder, sample_fields())
    if as_json:
        print_json(problems)
    else:
        for problem in problems:
            say(problem)
        say(f"{len(problems)} problems." if problems else "No problems.")
    if problems:
        raise typer.Exit(ExitCode.REFUSED)


@app.command()
def keys(as_json: AsJson = False) -> None:
    """Make a VAPID key pair for web push: the private key is for the settings, the public one for your page.

    Make it once: a browser that subscribed under one key cannot be pushed to with another.

    Example: leadstream notify keys
    """
    from streams.cli.devices import vapid_keys

    private, public = vapid_keys()
    if as_json:
        print_json({"private_key": private, "public_key": public})
        return
    say(f"private_key: {private}   # settings: push.private_key, secret")
    say(f"public_key:  {public}   # your page: applicationServerKey")


@app.command()
def subscribe(
    context: typer.Context,
    rep: Annotated[str, typer.Argument(metavar="REP", help="Whose browser it is; an id of the roster.")],
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="JSON of PushSubscription.toJSON(), one or a list.")
    ],
    as_json: AsJson = False,
) -> None:
    """Let a rep be told by web push in a browser, under the subscription that the browser gave. Again changes nothing.

    Example: leadstream notify subscribe r-ada subscription.json
    """
    from streams.cli.devices import devices_in, put_devices
    from streams.cli.records import latest

    cluster = context.obj.cluster()
    found = devices_in(file, rep)
    if rep not in latest(cluster, "reps"):
        raise not_found(f"There is no rep {rep!r} in the roster.", "leadstream reps list shows who is.")
    written = put_devices(cluster, found)
    if as_json:
        print_json({"rep": rep, "devices": [device.id for device in found], "written": written})
    else:
        say(f"{written} subscriptions of {rep} written.")


@app.command()
def devices(
    context: typer.Context,
    rep: Annotated[str | None, typer.Argument(metavar="REP", help="Only this rep's.")] = None,
    remove: Annotated[str, typer.Option(metavar="ID", help="End this subscription of REP.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the browsers that reps are pushed to, or end one. Endpoints and keys are secrets and are not shown.

    Example: leadstream notify devices r-ada
    """
    from yarl import URL

    from streams.cli.devices import devices_by_rep, end_device

    cluster = context.obj.cluster()
    rows = [one for of, browsers in sorted(devices_by_rep(cluster).items()) if rep in (None, of) for one in browsers]
    if remove:
        chosen = next((one for one in rows if one.id == remove), None)
        if rep is None or chosen is None:
            raise not_found(f"There is no device {remove!r} of {rep}.", "leadstream notify devices lists them.")
        end_device(cluster, chosen)
        rows = [chosen]
    told = [{"rep": one.rep, "id": one.id, "service": URL(one.endpoint).host, "since": one.at} for one in rows]
    if as_json:
        print_json(told)
    elif remove:
        say(f"{remove} of {rep} ended.")
    else:
        print_table(("rep", "id", "service", "since"), [tuple(row.values()) for row in told], empty="No devices.")


@app.command()
def resend(
    context: typer.Context,
    lead: Annotated[str, typer.Argument(metavar="[LEAD]", help="Only this lead's deliveries.")] = "",
    channel: Annotated[str, typer.Option(help="Only on this channel: slack, email, webhook, crm, …")] = "",
    recipient: Annotated[str, typer.Option(help="Only to this rep or receiver.")] = "",
    since: Annotated[str, typer.Option(help="Only what failed at or after this instant, with zone.")] = "",
    until: Annotated[str, typer.Option(help="Only what failed before this instant, with zone.")] = "",
    failed_only: Annotated[bool, typer.Option("--failed", help="Leave out what expired untried.")] = False,
    send: Annotated[bool, typer.Option("--send", help="Do it. Without, it is shown and nothing is sent.")] = False,
    reason: Annotated[str, typer.Option(help="Why; kept with the order. Needed with --send.")] = "",
    as_json: AsJson = False,
) -> None:
    """Send deliveries again that failed or expired: shown first, done with --send. What was delivered is left alone.

    Each goes out under the key that it had, as a possible repeat: a receiver that had it after all drops it, Slack and
    SMS are searched for it. An order given twice counts once. What a later decision overtook is not sent.

    Example: leadstream notify resend --channel slack --since 2026-03-14T09:00:00Z
    """
    from streams.cli.preview import instant_of
    from streams.cli.resending import Wanted, failures, ordered, sent

    if send and not reason.strip():
        raise CommandFailed("What is sent again needs a reason.", "Give --reason TEXT.", ExitCode.USAGE)
    outcomes = frozenset({Outcome.FAILED} if failed_only else {Outcome.FAILED, Outcome.EXPIRED})
    window = (instant_of(since, "--since") if since else None, instant_of(until, "--until") if until else None)
    cluster = context.obj.cluster()
    found = failures(cluster, Wanted(lead, channel, recipient, *window, outcomes))
    orders, gone = ordered(cluster, found, getpass.getuser(), reason.strip(), datetime.now(UTC))
    written = sent(cluster, orders) if send else 0
    lost = {one.key for one in gone}
    if as_json:
        rows = [one.model_dump(mode="json") | {"can_be_sent": one.key not in lost} for one in found.rows]
        print_json({"deliveries": rows, "orders": len(orders), "written": written})
        return
    print_table(
        ("failed at (UTC)", "lead", "notice", "to", "channel", "outcome", "reason"),
        [
            (f"{o.at:%m-%d %H:%M:%S}", o.lead_id, o.notice, o.recipient, o.channel, o.outcome.value, o.reason)
            for o in found.rows
        ],
        empty="Nothing that failed or expired is open.",
    )
    if gone:
        say(f"{len(gone)} cannot be sent: Kafka keeps their decisions no longer.")
    count = len(found.rows) - len(gone)
    if send:
        say(f"{count} deliveries of {written} decisions are on their way again.")
    elif count:
        say(f"{count} deliveries of {len(orders)} decisions would be sent. Do it with --send --reason TEXT.")

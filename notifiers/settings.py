"""How the outside world is reached. Built by `streams` from file and environment; nothing here reads either."""

from base64 import urlsafe_b64decode
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from notifiers.feed_event_type import ALL, EVENT_TYPES
from schemas.activity import ActivityKind
from schemas.model import Typed

HOUR_SECONDS = 3600.0
# As HubSpot and Salesforce name them out of the box.
_STAGES = {
    "salesqualifiedlead": "early",
    "in_progress": "early",
    "connected": "early",
    "working - contacted": "early",
    "opportunity": "mid",
    "open_deal": "mid",
    "customer": "won",
    "closed - converted": "won",
    "unqualified": "disqualified",
    "closed - not converted": "disqualified",
}


class WebhookSettings(Typed):
    """One receiver of signed webhooks (Standard Webhooks). secret: base64, with or without "whsec_".

    sends_contact: the body carries the person's data too; else only the lead. events: what `leadstream feed` posts to
    it, names of `notifiers.feed_event_type`, "*" for all.
    """

    url: str
    secret: SecretStr
    sends_contact: bool = True
    events: tuple[str, ...] = ()

    @field_validator("events")
    @classmethod
    def _are_known(cls, events: tuple[str, ...]) -> tuple[str, ...]:
        unknown = sorted(set(events) - {ALL, *EVENT_TYPES})
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: no such event; there are {', '.join(EVENT_TYPES)}")
        return events


class SmtpSettings(Typed):
    """A mail server. sender: address in From; domain of Message-IDs is the sender's.

    mails_a_connection: as many as the server allows; 1 opens one for each mail.
    """

    host: str
    port: int = 587
    username: str | None = None
    password: SecretStr | None = None
    use_tls: bool = False
    start_tls: bool | None = None  # None: where the server offers it
    sender: str
    sender_name: str = "leadstream"
    mails_a_connection: int = Field(default=50, ge=1)


class SlackSettings(Typed):
    """A Slack app. channels: queue or team name -> channel id, for audiences without a person to write to."""

    token: SecretStr
    signing_secret: SecretStr | None = None  # of the buttons' requests to the intake
    base_url: str = "https://slack.com/api/"
    channels: dict[str, str] = Field(default_factory=dict)
    looks_up_repeats: bool = True  # needs the scopes im:history and channels:history


class SmsSettings(Typed):
    """A Twilio account. sender: E.164 number, or messaging service id ("MG…")."""

    account_sid: str
    auth_token: SecretStr
    sender: str
    base_url: str = "https://api.twilio.com"


class PushSettings(Typed):
    """Web push. private_key: our VAPID key, 32 bytes in base64url, as `leadstream notify keys` makes it.

    subject: whom a push service may write to when something is wrong, "mailto:…" or "https://…".
    """

    private_key: SecretStr
    subject: str = Field(pattern=r"^(mailto:[^@\s]+@\S+|https://\S+)$")

    @field_validator("private_key")
    @classmethod
    def _is_a_key(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value()
        try:
            is_key = len(urlsafe_b64decode(text + "=" * (-len(text) % 4))) == 32
        except ValueError:
            is_key = False
        if not is_key:
            raise ValueError("no VAPID key: 32 bytes in base64url; `leadstream notify keys` makes one")
        return key


class HubSpotSettings(Typed):
    """A HubSpot private app. The contact property `external_id` must exist and be unique.

    client_secret: of the app; what HubSpot signs its webhooks with. app_id: of the app; what it wrote itself is told
    by it from what people changed (unset: changes by any integration are left out).
    contacted: contact property with the last call, mail or meeting of a person.
    calls_per_ten_seconds, searches_per_second: HubSpot's limits, of which `crm sync` and `crm reconcile` take half
    and leave the rest to NOTIFY.
    """

    token: SecretStr
    client_secret: SecretStr | None = None
    app_id: str | None = None
    contacted: str = "notes_last_contacted"
    calls_per_ten_seconds: float = Field(default=100, gt=0)
    searches_per_second: float = Field(default=5, gt=0)
    base_url: str = "https://api.hubapi.com"
    external_id: str = "leadstream_id"


class SalesforceSettings(Typed):
    """A Salesforce org. external_id: an external-id field of Lead. token: a bearer token for instance_url.

    user_id: of the integration user; what it changed is left out when changes are read back.
    calls_per_second: what `crm sync` and `crm reconcile` keep to, so that the org's daily quota lasts.
    """

    token: SecretStr
    user_id: str | None = None
    calls_per_second: float = Field(default=5, gt=0)
    instance_url: str
    api_version: str = "v62.0"
    external_id: str = "Leadstream_Id__c"


class CrmSettings(Typed):
    """Which CRM gets owner, tier, rule and due: the first that is set. webhook: a name in `webhooks`.

    incoming_secret: what a CRM signs its own changes with (Standard Webhooks, base64, with or without "whsec_").
    stages: name of a stage or status there, in lower case -> early, mid, late or closed (the rep's load), or a kind of
    activity that it amounts to; a name that is not here is ignored.
    """

    hubspot: HubSpotSettings | None = None
    salesforce: SalesforceSettings | None = None
    webhook: str | None = None
    incoming_secret: SecretStr | None = None
    stages: dict[str, str] = Field(default_factory=lambda: dict(_STAGES))

    @property
    def is_set(self) -> bool:
        return self.hubspot is not None or self.salesforce is not None or self.webhook is not None

    @field_validator("stages")
    @classmethod
    def _each_means_something(cls, stages: dict[str, str]) -> dict[str, str]:
        known = {"early", "mid", "late", "closed", *ActivityKind}
        unknown = sorted(meaning for meaning in stages.values() if meaning not in known)
        if unknown:
            raise ValueError(f"{', '.join(unknown)}: neither early, mid, late, closed nor a kind of activity")
        return {name.lower(): meaning for name, meaning in stages.items()}


class Rate(Typed):
    """At most `messages` in any `seconds`."""

    messages: float = Field(gt=0)
    seconds: float = Field(default=1, gt=0)


class ChannelSettings(Typed):
    """All channels. One that is not set suppresses its deliveries, with that reason on record.

    webhooks: name -> receiver; each gets every notice for the audience `webhook`; "default" also stands in for reps.
    allowed_hosts: hosts that webhooks may reach though they are private. lifetime_seconds: channel -> how long a
    delivery is tried when its notice sets no end. fallback: tried in this order when a rep's channels all failed.
    """

    webhooks: dict[str, WebhookSettings] = Field(default_factory=dict)
    smtp: SmtpSettings | None = None
    slack: SlackSettings | None = None
    sms: SmsSettings | None = None
    push: PushSettings | None = None
    crm: CrmSettings = CrmSettings()
    allowed_hosts: frozenset[str] = frozenset()

    lead_url: str | None = None  # "https://crm.example/leads/{lead_id}"
    unsubscribe_url: str | None = None
    unsubscribe_secret: SecretStr | None = None
    unsubscribed: frozenset[str] = frozenset()  # person ids
    team_name: str = "Our team"
    team_signature: str = "Your team"
    templates: Path | None = None

    concurrency: int = Field(default=64, ge=1)
    channel_concurrency: int = Field(default=16, ge=1)
    patience_seconds: float = Field(default=0.5, gt=0)  # a batch waits so long for answers; the rest is asked again
    send_timeout_seconds: float = Field(default=10, gt=0)
    rates: dict[str, Rate] = Field(default_factory=lambda: {"slack": Rate(messages=20), "sms": Rate(messages=10)})
    breaker_failures: int = Field(default=5, ge=1)
    breaker_seconds: float = Field(default=5, gt=0)
    retry_first_seconds: float = Field(default=1, gt=0)
    retry_cap_seconds: float = Field(default=30, gt=0)
    fallback: tuple[str, ...] = ("email", "sms", "in_app")
    unacknowledged_seconds: float = Field(default=30, gt=0)  # NOT-5
    lifetime_seconds: dict[str, float] = Field(
        default_factory=lambda: {"crm": 24 * HOUR_SECONDS, "webhook": 24 * HOUR_SECONDS, "email": 6 * HOUR_SECONDS}
    )
    default_lifetime_seconds: float = Field(default=HOUR_SECONDS, gt=0)
    marker_seconds: float = Field(default=24 * HOUR_SECONDS, gt=0)  # AUT-2
    notes_seconds: float = Field(default=7 * 24 * HOUR_SECONDS, gt=0)  # how long a lead's threads and marks are kept

    @property
    def fed(self) -> Mapping[str, WebhookSettings]:
        """The receivers that ask `leadstream feed` for events, by name."""
        return {name: one for name, one in self.webhooks.items() if one.events}

"""The business metrics (MET-2) that follow from events, on a registry that is passed in."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from streams.business.slices import Slices

# The promises are 10 s and 60 s (speed-to-assign), 30 s (a first delivery), 5 min, 1 h, 24 h (contact).
_ASSIGN = (0.25, 0.5, 1, 2, 5, 10, 20, 30, 45, 60, 90, 120, 300, 900, 3_600)
_CONTACT = (30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400, 172_800, 259_200)
_STEP = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3_600, 86_400)

STEPS = (
    "submitted_received",
    "received_enriched",
    "enriched_scored",
    "scored_decided",
    "submitted_decided",
    "decided_crm",
    "decided_delivered",
    "delivered_contacted",
)
"""The gaps between the clocks of a lead (NEW-9). Waits, retries and holds are inside."""

OUTCOMES = (
    "routed",
    "fallback",
    "met",
    "missed",
    "amended",
    "moved_by_hand",
    "moved_by_step",
    "meeting",
    "opportunity",
    "won",
    "lost",
    "disqualified",
    "never_contacted",
)
FLAGS = ("no_owner", "inactive_owner", "breach_without_notification", "moved_twice_in_a_day")
CAUSES = (
    "no_capacity",
    "no_hours",
    "notification_failed",
    "unclaimed",
    "leadstream_late",
    "not_contacted",
    "crm_late",
    "other",
)
TIERS = ("T1", "T2", "T3", "other")
YES_NO = ("yes", "no")


class BusinessMetrics:
    """Counters and histograms. Labels: tier (a policy's first three and "other"), and closed sets; `slices` is bounded.

    A lead that is marked as a test touches none of them (GOV-7).
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._promises(registry)
        self._routing(registry)
        self._knowledge(registry)
        self._outcomes(registry)
        self._itself(registry)
        self._start()

    def _promises(self, registry: CollectorRegistry) -> None:
        """Make what tells whether promises are kept: how soon, met or missed, told in time."""
        # Submitted to the owner acknowledged by the CRM (EDG-4 included: the true time). p95 above 60 s for 15 min:
        # look at the step clocks, mostly it is the CRM. entry: `api` are direct posts, promised in 10 s.
        self.speed_to_assign = Histogram(
            "leadstream_business_speed_to_assign_seconds",
            "From submission to the CRM's acknowledgement of the owner.",
            ["tier", "entry"],
            buckets=_ASSIGN,
            registry=registry,
        )
        # Submitted to the first human action of the rep who has the lead. Only first actions count; paused time is in.
        self.speed_to_contact = Histogram(
            "leadstream_business_speed_to_contact_seconds",
            "From submission to the first action of the assigned rep.",
            ["tier"],
            buckets=_CONTACT,
            registry=registry,
        )
        # Submitted to the first human contact by anyone. Far below speed-to-contact: others do the owners' work.
        self.first_response = Histogram(
            "leadstream_business_first_response_seconds",
            "From submission to the first human contact.",
            ["tier"],
            buckets=_CONTACT,
            registry=registry,
        )
        # SLA cycles by outcome: met, missed, and amended (counted as missed, then a contact in time became known).
        # Compliance is (met + amended) / (met + missed): T1 85%, T2 80%, T3 75%. Below: see breaches by cause.
        self.sla = Counter(
            "leadstream_business_sla_total", "SLA cycles by outcome.", ["tier", "outcome"], registry=registry
        )
        # Missed SLA cycles by cause. not_contacted: the rep; no_capacity, unclaimed, leadstream_late: routing or us;
        # notification_failed: the channels.
        self.breaches = Counter(
            "leadstream_business_breaches_total", "Missed SLA cycles by cause.", ["tier", "cause"], registry=registry
        )
        # Owners' notices by outcome: in_time (30 s), late, failed. Any T1 failure: call the team lead, see NOTIFY.
        self.notified = Counter(
            "leadstream_business_notifications_total",
            "Owners told of a decision, by outcome.",
            ["tier", "outcome"],
            registry=registry,
        )
        # Each gap between the clocks of a lead. The widest one says where its time went.
        self.steps = Histogram(
            "leadstream_business_step_seconds",
            "Gaps between the clocks of a lead.",
            ["step"],
            buckets=_STEP,
            registry=registry,
        )

    def _routing(self, registry: CollectorRegistry) -> None:
        """Make what tells who got leads and lost them again."""
        # First decisions with an accountable owner. in_time: within the route deadline (coverage, 99%); fallback: the
        # catch-all decided (10% at most; above: rules are missing, see `leadstream policy explain`).
        self.routed = Counter(
            "leadstream_business_routed_total",
            "Leads that got an accountable owner.",
            ["tier", "in_time", "fallback"],
            registry=registry,
        )
        # Leads moved by a person or a step, by what moved them; soon: within 48 h of the first owner. by_hand above
        # 3% of routed: the rules choose wrongly, look at which rule. step above 5%: reps do not act.
        self.moves = Counter(
            "leadstream_business_moves_total",
            "Changes of owner by what made them.",
            ["move", "soon"],
            registry=registry,
        )
        # Leads whose first owner lost them, SLA steps apart. Over routed: below 10% is a first-try accuracy above 90%.
        self.first_owner_lost = Counter(
            "leadstream_business_first_owner_lost_total",
            "Leads whose first owner lost them, SLA steps apart.",
            registry=registry,
        )
        # Leads by account match (exact domain, alias, subdomain, parent, provider, none).
        self.accounts = Counter(
            "leadstream_business_account_matches_total", "Leads by account match.", ["match"], registry=registry
        )
        # Leads that a person attached to an account afterwards: moved by hand with reason code `account`. Matched over
        # matched and these is the account match rate, 85%: mend domains and aliases in the accounts.
        self.attached = Counter(
            "leadstream_business_accounts_attached_total", "Leads attached to an account by hand.", registry=registry
        )

    def _knowledge(self, registry: CollectorRegistry) -> None:
        """Make what tells what is known of leads."""
        # Enriched leads, for the share that has a field.
        self.enriched = Counter("leadstream_business_enriched_total", "Leads enriched.", registry=registry)
        # Enriched leads that have the field (ENR-1), whoever said it: form or provider. Below 80%: see the providers.
        self.fields = Counter(
            "leadstream_business_enriched_fields_total", "Enriched leads with the field.", ["field"], registry=registry
        )

    def _outcomes(self, registry: CollectorRegistry) -> None:
        """Make what tells what became of leads."""
        # Outcomes of leads by one dimension at a time: `by` is tier, segment, pool, rep, source, rule, path or policy,
        # `of` its value. Ratios of two outcomes over the same `of` compare rules, paths, reps (MET-1).
        self.slices = Slices(
            Counter(
                "leadstream_business_outcomes_total",
                "Outcomes of leads by one dimension.",
                ["outcome", "by", "of"],
                registry=registry,
            )
        )
        # What won leads are worth, as the CRM told it, by path. Over routed: revenue per lead.
        self.revenue = Counter("leadstream_business_revenue_total", "Value of won leads.", ["path"], registry=registry)
        # Ended leads by whether anybody ever made contact. no above 1%: nobody follows up, see the reps' board.
        self.closed = Counter("leadstream_business_closed_total", "Ended leads.", ["contacted"], registry=registry)
        # Red flags as they were raised (FLG-1). Any: the board names the lead, `leadstream lead explain` says why.
        self.flags = Counter("leadstream_business_flags_total", "Red flags raised.", ["flag"], registry=registry)
        # Fit ratings of leads by reps, for the monthly review (GOV-8).
        self.ratings = Counter("leadstream_business_fit_ratings_total", "Fit ratings by reps.", registry=registry)

    def _itself(self, registry: CollectorRegistry) -> None:
        """Make what tells of the meter itself."""
        # Leads that are remembered to join later events to. At its limit: outcomes of older leads have no dimension.
        self.remembered = Gauge("leadstream_business_remembered_leads", "Leads remembered.", registry=registry)
        # Records that could not be read; they were passed over. Any: a newer build writes them, update this one.
        self.unreadable = Counter(
            "leadstream_business_unreadable_total", "Unreadable records passed over.", registry=registry
        )

    def _start(self) -> None:
        """Show zeros from the start, so that a rate sees the first one."""
        for tier in TIERS:
            for outcome in ("met", "missed", "amended"):
                self.sla.labels(tier, outcome)
            for cause in CAUSES:
                self.breaches.labels(tier, cause)
            for outcome in ("in_time", "late", "failed"):
                self.notified.labels(tier, outcome)
            for in_time in YES_NO:
                for fallback in YES_NO:
                    self.routed.labels(tier, in_time, fallback)
            self.speed_to_contact.labels(tier)
            self.first_response.labels(tier)
            for entry in ("api", "other"):
                self.speed_to_assign.labels(tier, entry)
        for step in STEPS:
            self.steps.labels(step)
        for move in (
            "step",
            "by_hand",
            "claimed",
            "declined",
            "left",
            "absent",
            "handoff",
            "returned",
            "engaged",
            "rules",
        ):
            for soon in YES_NO:
                self.moves.labels(move, soon)
        for flag in FLAGS:
            self.flags.labels(flag)
        for contacted in YES_NO:
            self.closed.labels(contacted)
        for match in ("domain", "alias", "subdomain", "parent", "provider", "none"):
            self.accounts.labels(match)
        for field in ("employees", "industry", "country", "domain"):
            self.fields.labels(field)

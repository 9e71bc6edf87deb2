"""Who says what of a company, where it is no provider: names in `Lead.facts`."""

FORM = "form"  # the lead itself
MAIL = "mail"  # the domain of its business address

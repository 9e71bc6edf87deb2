"""All kinds of forms. A new one is one file and one line here."""

from collections.abc import Mapping

from streams.intake.forms import generic, hubspot, linkedin, meta, typeform
from streams.intake.forms.call import Kind

FORMS: Mapping[str, Kind] = {
    "generic": generic.KIND,
    "hubspot": hubspot.KIND,
    "linkedin": linkedin.KIND,
    "meta": meta.KIND,
    "typeform": typeform.KIND,
}

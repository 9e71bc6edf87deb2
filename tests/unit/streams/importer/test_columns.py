"""The column names of CRMs."""

import pytest

from schemas.lead import SubmittedLead
from streams.importer.columns import NAMES, mapping_of

EXPORTS = {
    "Salesforce": ["Lead ID", "First Name", "Last Name", "Title", "Company", "Email", "Phone", "Lead Source",
                   "State/Province", "Zip/Postal Code", "Country", "No. of Employees", "Industry", "Created Date"],
    "HubSpot": ["Record ID", "First Name", "Last Name", "Email", "Phone Number", "Job Title", "Company Name",
                "Website URL", "Country/Region", "State/Region", "Number of Employees", "Industry", "Create Date",
                "Recent Conversion", "Original Source"],
    "Dynamics 365": ["(Do Not Modify) Lead", "firstname", "lastname", "emailaddress1", "telephone1", "companyname",
                     "jobtitle", "websiteurl", "address1_country", "address1_stateorprovince", "address1_postalcode",
                     "numberofemployees", "industrycode", "leadsourcecode", "createdon"],
    "Zoho": ["Record Id", "First Name", "Last Name", "Email", "Phone", "Designation", "Company", "Website",
             "No of Employees", "Industry", "Lead Source", "Country", "State", "Zip Code", "Created Time"],
    "Pipedrive": ["Lead - ID", "Person - Name", "Person - Email", "Person - Phone", "Organization - Name",
                  "Lead - Source", "Lead - Lead created"],
}  # fmt: skip


@pytest.mark.parametrize("system", EXPORTS)
def test_every_column_of_a_usual_export_is_known(system: str) -> None:
    mapping = mapping_of(EXPORTS[system], {})
    assert mapping.kept == ()
    assert {"email", "foreign_id", "company"} <= set(mapping.fields.values())


def test_every_mapped_field_is_one_of_a_lead_and_no_name_means_two() -> None:
    assert NAMES.keys() <= SubmittedLead.model_fields.keys()
    names = [name for many in NAMES.values() for name in many]
    assert len(names) == len(set(names))


def test_what_is_said_on_the_command_line_wins() -> None:
    mapping = mapping_of(["Mail 2", "Email", "Junk", "Other"], {"Mail 2": "email", "Junk": ""})
    assert mapping.fields == {"Mail 2": "email"}
    assert mapping.kept == ("Email", "Other")

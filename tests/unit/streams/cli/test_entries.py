from pathlib import Path

import pytest

from schemas.account import Account
from streams.cli.entries import read_entries
from streams.cli.exit_code import ExitCode
from streams.cli.failure import CommandFailed


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param('acme.example,"Acme\nbeta.example,Beta\n', id="to the end of the file"),
        pytest.param('acme.example,"Acme\nbeta.example,"Beta"\n', id="to the next quote"),
    ],
)
def test_a_quote_without_an_end_takes_no_row_along_in_silence(tmp_path: Path, rows: str) -> None:
    path = tmp_path / "accounts.csv"
    path.write_text("domain,name\n" + rows)
    with pytest.raises(CommandFailed, match="cannot be read at line 3: ") as failure:
        read_entries(path, Account, "accounts", "domain")
    assert failure.value.code == ExitCode.REFUSED
    assert "quote" in failure.value.fix

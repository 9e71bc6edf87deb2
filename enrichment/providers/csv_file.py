"""A CSV or Parquet file of one's own as a provider, read whole at the first question; found by domain, else by name."""

import asyncio
import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from enrichment.normalise import company
from enrichment.providers.mapped import FIELDS, firm
from enrichment.providers.provider import Answer, Firmographics, Lookup, NotFound, ProviderWrong, Query
from schemas.lead import Company
from schemas.org import CsvProvider, ProviderSettings

_CONFIDENCE = 0.95
_BY_NAME_CONFIDENCE = 0.8


@dataclass(slots=True)
class _Rows:
    by_domain: dict[str, Company] = field(default_factory=dict)
    by_name: dict[str, Company] = field(default_factory=dict)


def opened(settings: ProviderSettings) -> Lookup:
    """Return the provider over the file of `settings.csv`. A changed file is seen at the next start."""
    assert settings.csv is not None  # the model demands it
    source = settings.csv
    read: list[_Rows] = []
    reading = asyncio.Lock()

    async def lookup(query: Query, deadline: float) -> Answer:
        async with reading:
            if not read:
                read.append(await asyncio.to_thread(_rows, source))
        return _found(read[0], query)

    return lookup


def _found(rows: _Rows, query: Query) -> Answer:
    known = rows.by_domain.get(query.domain) if query.domain else None
    if known:
        return Firmographics(known, _CONFIDENCE)
    named = rows.by_name.get(company.key(query.company)) if query.company else None
    return Firmographics(named, _BY_NAME_CONFIDENCE, found_by="name") if named else NotFound()


def _rows(source: CsvProvider) -> _Rows:
    rows = _Rows()
    try:
        for known in _companies(source):
            if known.domain:
                rows.by_domain.setdefault(known.domain, known)
            if known.name:
                rows.by_name.setdefault(company.key(known.name), known)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ProviderWrong(f"the file cannot be read: {type(error).__name__}") from error
    return rows


def _companies(source: CsvProvider) -> Iterator[Company]:
    columns = source.columns or {name: name for name in FIELDS}
    read = _parquet_rows if Path(source.path).suffix == ".parquet" else _csv_rows
    for row in read(source.path):
        known = firm({name: row.get(column) for name, column in columns.items() if name in FIELDS})
        if known:
            yield known


def _csv_rows(path: str) -> Iterator[Mapping[str, Any]]:
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        yield from csv.DictReader(file)


def _parquet_rows(path: str) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a Parquet file, a batch at a time. Raises ProviderWrong without the extra `parquet`."""
    try:
        from pyarrow import ArrowException, parquet
    except ImportError as error:
        raise ProviderWrong("Parquet needs the extra: pip install leadstream[parquet]") from error
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches():
                yield from batch.to_pylist()
    except ArrowException as error:
        raise ProviderWrong(f"the Parquet file cannot be read: {type(error).__name__}") from error

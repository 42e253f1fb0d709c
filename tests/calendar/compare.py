#!/usr/bin/env python3
"""Compares our working calendar, day by day, with two that others publish.

  python compare.py        prints each day on which they differ; fails if there is one

Ours is core/src/domain/rules/holidays.toml, read here anew; the others are the packages
chinesecalendar and holidays. A day that differs is settled by the notice (国务院办公厅通知) that the
table names, and never by a count of votes. A year that is new in the table needs a version of the
packages that knows it.
"""

import datetime
import sys
import tomllib
from pathlib import Path

import chinese_calendar
import holidays

DATA = Path(__file__).parents[2] / "core/src/domain/rules/holidays.toml"
DAY = datetime.timedelta(days=1)
WORDS = {True: "works", False: "is off"}


def span(text):
    """The days of `2026-10-01..2026-10-07`, or of a single day."""
    first, _, last = text.partition("..")
    day, last = datetime.date.fromisoformat(first), datetime.date.fromisoformat(last or first)
    while day <= last:
        yield day
        day += DAY


def main():
    tables = tomllib.loads(DATA.read_text("utf-8"))["national"]
    off = {day for table in tables.values() for text in table["off"] for day in span(text)}
    work = {day for table in tables.values() for text in table["work"] for day in span(text)}
    years = sorted(map(int, tables))
    china = holidays.country_holidays("CN", years=years)
    others = {"chinesecalendar": chinese_calendar.is_workday, "holidays": china.is_working_day}
    days = list(span(f"{years[0]}-01-01..{years[-1]}-12-31"))
    differences = 0
    for day in days:
        ours = day in work or (day.weekday() < 5 and day not in off)
        for name, theirs in others.items():
            if theirs(day) != ours:
                differences += 1
                print(f"{day} {day:%a}: {WORDS[ours]}; {name}: {WORDS[not ours]}")
    print(f"{len(days)} days, {years[0]} to {years[-1]}, {len(others)} calendars: "
          f"{differences} differences")
    return 1 if differences else 0


if __name__ == "__main__":
    sys.exit(main())

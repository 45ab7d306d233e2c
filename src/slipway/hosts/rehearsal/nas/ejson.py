"""JSON with dates and sets, as the middleware and its clients write it. Pure.

Source of the forms: ``truenas_api_client/ejson.py`` of the client.
"""

from __future__ import annotations

import calendar
import json
from datetime import UTC, date, datetime, time, timedelta


def _plain(value: object) -> object:
    if type(value) is datetime:
        moment = value.astimezone(UTC) if value.tzinfo is not None else value
        return {"$date": calendar.timegm(moment.timetuple()) * 1000}
    if type(value) is date:
        return {"$type": "date", "$value": value.isoformat()}
    if type(value) is time:
        return {"$time": str(value)}
    if isinstance(value, set | frozenset):
        return {"$set": list(value)}
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _rich(table: dict[str, object]) -> object:
    match table:
        case {"$date": int(moment), **rest} if not rest:
            # The clients add the milliseconds a second time; so does this.
            return datetime.fromtimestamp(moment / 1000, UTC) + timedelta(
                milliseconds=moment % 1000
            )
        case {"$time": str(text), **rest} if not rest:
            hour, minute, second, *_ = [*(int(part) for part in text.split(":")), 0, 0]
            return time(hour, minute, second)
        case {"$set": list(members), **rest} if not rest:
            return set(members)
        case {"$type": "date", "$value": str(text), **rest} if not rest:
            return date.fromisoformat(text)
    return table


def dumps(value: object) -> str:
    """The text of a value; dates are milliseconds since 1970 below ``$date``.

    Raises:
        TypeError: it has something that can't be written.
    """
    return json.dumps(value, default=_plain)


def loads(text: str) -> object:
    """The reverse of :func:`dumps`.

    Raises:
        ValueError: it is no JSON.
    """
    return json.loads(text, object_hook=_rich)

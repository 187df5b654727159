"""The Info text of a CytoClus export: instrument, time, volumes, channels.

``key: value`` lines in English or French, with either decimal mark and either order of day and month.
"""

from __future__ import annotations

import codecs
import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from seston.errors import InputError
from seston.instruments.number_text import parse_number
from seston.instruments.words import channel_name, fold, info_key
from seston.particle import Sample

__all__ = [
    "SAMPLING_RATE_MHZ",
    "InfoText",
    "looks_like_info",
    "parse_date",
    "parse_info",
    "read_info",
    "sample_of_info",
]

SAMPLING_RATE_MHZ = 4.0
"""Samples a microsecond: a constant of the instruments, not a setting (CytoBuoy's CyzFile-API)."""

_LARGEST_INFO = 1 << 22
_DIGITS = r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4})"
_CLOCK = r"(?:[ T]+(\d{1,2})[:h](\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([AaPp][Mm])?)?"


@dataclass(frozen=True, slots=True)
class InfoText:
    """What an Info text says, before it is interpreted."""

    values: dict[str, tuple[str, str]] = field(default_factory=dict)
    """What a line is about (see `seston.instruments.words`) → its key as written, and its value."""
    others: dict[str, str] = field(default_factory=dict)
    """Keys that no one has listed, as written."""
    channels: dict[int, str] = field(default_factory=dict)
    """Number of the hardware's channel → its name as written."""
    levels: dict[int, str] = field(default_factory=dict)
    """Number of the channel → sensitivity level."""
    trigger: int | None = None
    """Number of the trigger's channel."""
    smart_conditions: tuple[str, ...] = ()
    comments: str = ""
    decimal_commas: bool = False

    def number(self, about: str) -> float | None:
        """Give a value as a finite number, or None."""
        value = parse_number(self.values.get(about, ("", ""))[1])
        return value if value is not None and math.isfinite(value) else None


def looks_like_info(head: bytes) -> bool:
    """Tell from its first bytes whether a text is the Info of an export."""
    keys = {info_key(line.split(":", 1)[0]) for line in _decode(head).splitlines() if ":" in line}
    return len(keys & {"instrument", "core speed", "beam width", "date", "duration", "flow rate", "trigger level"}) >= 3


def read_info(path: Path) -> InfoText:
    """Read an Info text.

    Raises
    ------
    InputError
        Where the file is empty, cannot be opened, or holds none of the known keys.
    """
    try:
        data = path.read_bytes() if path.stat().st_size <= _LARGEST_INFO else b""
    except OSError as error:
        raise InputError(f"{path}: cannot be opened ({error.strerror}); check the file") from error
    info = parse_info(_decode(data))
    if not info.values and not info.channels:
        what = "is empty" if not data.strip() else "holds no line that an Info text of CytoClus has"
        raise InputError(f"{path}: {what}; export it again")
    return info


def parse_info(text: str) -> InfoText:
    """Parse an Info text; a line that cannot be understood is kept among the others."""
    values: dict[str, tuple[str, str]] = {}
    others: dict[str, str] = {}
    channels: dict[int, str] = {}
    levels: dict[int, str] = {}
    smart: list[str] = []
    comments: list[str] = []
    trigger: int | None = None
    channel: int | None = None
    within = ""
    for line in text.replace("\ufeff", "").splitlines():
        key, _, value = (part.strip() for part in line.partition(":"))
        about = info_key(key.lstrip("- "))
        if ":" not in line and about != "smart trigger":
            about = None
        numbered = re.fullmatch(r"(.*?)\s*(\d+)", key)
        if not line.strip():
            within = "comments" if within == "comments" else ""
        elif within == "smart trigger" and line[0] in "\t ":
            smart.append(line.strip())
        elif about == "sensitivity" and channel is not None:
            levels[channel] = value
        elif numbered and info_key(numbered[1]) == "channel" and ":" in line:
            channel, within = int(numbered[2]), "channel"
            channels[channel], is_trigger = _channel(value)
            trigger = channel if is_trigger else trigger
        elif about == "comments":
            within = "comments"
            comments.append(value)
        elif about is not None:
            within = about
            _keep(values, others, about, key, value)
        elif within == "comments":
            comments.append(line.strip())
        elif ":" in line:
            others[key] = value
    commas = any("," in value for _, value in values.values()) or any("," in level for level in levels.values())
    remark = "\n".join(comments).strip()
    return InfoText(values, others, channels, levels, trigger, tuple(smart), remark, commas)


def _keep(values: dict[str, tuple[str, str]], others: dict[str, str], about: str, key: str, value: str) -> None:
    """Keep a value; of two lines about one thing the one with a unit counts (``Trigger level 1 (mV)``)."""
    if about in values and "(" not in key:
        others[key] = value
        return
    if about in values:
        earlier, its_value = values[about]
        others[earlier] = its_value
    values[about] = (key, value)


def sample_of_info(
    info: InfoText, sample: Sample, file: str, clock: datetime | None = None
) -> tuple[Sample, list[str]]:
    """Fill a sample with what an Info text says, and tell what is odd about it.

    Parameters
    ----------
    sample
        A sample with its id; the fields that Info does not speak of are kept.
    file
        Name of the Info file, for the provenance.
    clock
        Date and minute of the measurement's name, which settles the order of day and month.

    Returns
    -------
    (Sample, list of str)
        Volumes in mL: Info's ``Volume`` is the analysed one; flow rate × duration is the pumped one. The time zone is
        not said by Info: its clock is taken as UTC.
    """
    from dataclasses import replace

    values, provenance = _plain_values(info, file)
    start, notes = _start(info, clock)
    duration = info.number("duration")
    if start is not None:
        values["start"] = start
        provenance["start"] = f"{file}: {info.values['date'][0]} (no time zone said: taken as UTC)"
        if duration is not None and 0 <= duration < 366 * 86400:
            values["end"] = start + timedelta(seconds=duration)
            provenance["end"] = f"{file}: {info.values['date'][0]} + {info.values['duration'][0]}"
    flag = _simulated(info)
    if flag:
        values["flags"] = (flag,)
    values["settings"] = {**sample.settings, **_settings(info)}
    values["provenance"] = {**sample.provenance, **provenance}
    filled: Sample = replace(sample, **values)  # type: ignore[arg-type]  # field names are checked by the tests
    return filled, notes


def _decode(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", errors="replace")
    try:
        return codecs.getincrementaldecoder("utf-8-sig")().decode(data)
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _channel(value: str) -> tuple[str, bool]:
    """Part a channel's name from the mark that it is the trigger."""
    name, dash, mark = value.rpartition(" - ")
    if dash and info_key(mark) == "trigger mark":
        return name.strip(), True
    return value.strip(), False


def _plain_values(info: InfoText, file: str) -> tuple[dict[str, object], dict[str, str]]:
    """Give the fields that follow from one or two values, with where each came from."""
    values: dict[str, object] = {}
    provenance: dict[str, str] = {}

    def put(name: str, value: object, *abouts: str, how: str = " × ") -> None:
        if value is not None:
            values[name] = value
            provenance[name] = f"{file}: " + how.join(info.values[about][0] for about in abouts)

    volume, flow, duration = info.number("volume"), info.number("flow rate"), info.number("duration")
    concentration = info.number("concentration")
    for name, about in (("instrument", "instrument"), ("serial_number", "serial number")):
        put(name, info.values.get(about, ("", ""))[1] or None, about)
    put("core_speed_m_s", info.number("core speed") or None, "core speed")
    put("beam_width_um", info.number("beam width") or None, "beam width")
    put("volume_analysed_ml", None if volume is None else volume / 1000, "volume")
    if flow is not None and duration is not None:
        put("volume_sampled_ml", flow * duration / 1000, "flow rate", "duration")
    recorded = "recorded" if "recorded" in info.values else "total"
    put("n_recorded", _whole(info.number(recorded)), recorded)
    if concentration is not None and volume is not None:
        put("n_counted", _whole(concentration * volume), "concentration", "volume")
    levels = {
        info.channels[place]: parse_number(level) for place, level in info.levels.items() if place in info.channels
    }
    known = {channel_name(name): level for name, level in levels.items() if level is not None}
    if known:
        values["detector_levels"] = known
        provenance["detector_levels"] = f"{file}: sensitivity level"
    phrase = _trigger(info)
    if phrase:
        values["trigger"] = phrase
        provenance["trigger"] = f"{file}: Trigger level, the channel marked as trigger"
    return values, provenance


def _whole(value: float | None) -> int | None:
    return None if value is None or not 0 <= value < 1e15 else round(value)


def _trigger(info: InfoText) -> str | None:
    level = info.number("trigger level")
    if level is None:
        level = info.number("trigger level 1")
    channel = channel_name(info.channels[info.trigger]) if info.trigger in info.channels else None
    if channel and level is not None:
        return f"{channel} > {level:g} mV"
    return channel or (None if level is None else f"> {level:g} mV")


def _start(info: InfoText, clock: datetime | None) -> tuple[datetime | None, list[str]]:
    key, text = info.values.get("date", ("", ""))
    if not text:
        return None, []
    start, ambiguous = parse_date(text, clock)
    if start is None:
        return None, [f"{key} {text!r} is no date that can be read: the sample has no time"]
    notes = []
    if ambiguous:
        notes.append(f"{key} {text!r} may mean two days: read as day/month/year")
    if clock is not None and abs((start - clock).total_seconds()) >= 60:
        notes.append(f"the measurement's name says {clock:%Y-%m-%d %Hh%M}, Info says {start:%Y-%m-%d %H:%M:%S}")
    return start.replace(tzinfo=UTC), notes


def parse_date(text: str, clock: datetime | None = None) -> tuple[datetime | None, bool]:
    """Read a date and time in the order of any locale.

    Parameters
    ----------
    clock
        A moment near which the date must lie: it settles which number is the day.

    Returns
    -------
    (datetime or None, bool)
        The moment without a time zone, and whether day and month could be either (then day/month was taken).
    """
    text = text.strip()
    iso = re.match(r"(\d{4})[/.\-](\d{1,2})[/.\-](\d{1,2})" + _CLOCK, text)
    if iso:
        return _moment(int(iso[1]), int(iso[2]), int(iso[3]), iso.groups()[3:]), False
    local = re.match(_DIGITS + _CLOCK, text)
    if not local:
        return None, False
    year, time_of_day = int(local[3]), local.groups()[3:]
    by_day = _moment(year, int(local[2]), int(local[1]), time_of_day)
    by_month = _moment(year, int(local[1]), int(local[2]), time_of_day)
    readings = [moment for moment in (by_day, by_month) if moment is not None]
    if len(readings) == 2 and by_day != by_month:
        if clock is None:
            return by_day, True
        return min(readings, key=lambda moment: abs(moment - clock)), False
    return (readings[0] if readings else None), False


def _moment(year: int, month: int, day: int, clock: tuple[str | None, ...]) -> datetime | None:
    hour, minute, second, half = (*clock, None, None, None, None)[:4]
    hours = int(hour or 0)
    if half and half.lower() == "pm" and hours < 12:
        hours += 12
    elif half and half.lower() == "am" and hours == 12:
        hours = 0
    try:
        return datetime(year, month, day, hours, int(minute or 0), int(second or 0))
    except ValueError:
        return None


def _simulated(info: InfoText) -> str | None:
    """Read whether the comments say that no instrument measured this."""
    for line in info.comments.splitlines():
        folded = fold(line)
        said = re.match(r"simulated\s*:\s*(\w+)", folded)
        if folded.startswith("semi simulated by seston") or (said and said[1].startswith("semi")):
            return "semi-simulated"
        if folded.startswith("simulated by seston") or (said and said[1] == "yes"):
            return "simulated"
    key = info.others.get("Simulated", "").lower()
    return "semi-simulated" if key.startswith("semi") else ("simulated" if key.startswith("yes") else None)


def _settings(info: InfoText) -> dict[str, str]:
    """Give, as text, whatever has no field of its own."""
    settings = {key: value for about, (key, value) in info.values.items() if value and about not in _HAVE_A_FIELD}
    settings.update({key: value for key, value in info.others.items() if value})
    if info.smart_conditions or "smart trigger" in info.values:
        settings["smart trigger"] = "; ".join(info.smart_conditions) or "on"
    if info.comments:
        settings["User Comments"] = info.comments
    if info.channels:
        settings["hardware channels"] = "; ".join(info.channels[place] for place in sorted(info.channels))
    return settings


_HAVE_A_FIELD = frozenset({"instrument", "serial number", "core speed", "beam width", "smart trigger"})

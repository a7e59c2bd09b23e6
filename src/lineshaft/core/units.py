"""Units of measure: UCUM codes inside, UNECE codes at the edge, symbols for people.

A unit is written in UCUM (`Cel`, `bar`, `L/min`): one of the table below, a product or
quotient of these (`kJ/kg`, `N.m2`), or something counted, in braces (`{pieces}/h`).

Sources: UCUM 2.2 (codes); UNECE Recommendation 20 (common codes); OPC 10000-8, 5.6.3.3
(a unit identifier of OPC UA is the characters of the common code, as bytes of an integer).
"""

import difflib
import functools
import re
from typing import Any, NamedTuple

from lineshaft.core.errors import Invalid


class Unit(NamedTuple):
    """One unit of the table."""

    ucum: str
    """Code that Lineshaft uses."""
    unece: tuple[str, ...]
    """Common codes of UNECE Recommendation 20, the usual one first."""
    symbol: str
    """What people read."""
    pint: str
    """Expression for Pint."""


# ucum, unece (joined by commas; - when there is none), symbol, Pint expression
_TABLE = """
1 C62 1 dimensionless
% P1 % percent
[ppth] NX ‰ permille
[ppm] 59 ppm ppm
[ppb] 61 ppb ppb
[pH] Q30 pH dimensionless
dB 2N dB decibel
Cel CEL °C degC
K KEL K kelvin
[degF] FAH °F degF
K/s F12 K/s kelvin/s
K/min F11 K/min kelvin/min
K/h F10 K/h kelvin/h
Cel/s H14 °C/s delta_degC/s
Cel/min H13 °C/min delta_degC/min
Cel/h H12 °C/h delta_degC/h
Pa PAL Pa Pa
hPa A97 hPa hPa
kPa KPA kPa kPa
MPa MPA MPa MPa
GPa A89 GPa GPa
mbar MBR mbar mbar
bar BAR bar bar
atm ATM atm atm
[psi] PS,80 psi psi
mm[Hg] HN mmHg mmHg
m[H2O] N23 mH₂O metre_water
cm[H2O] H78 cmH₂O cmH2O
N/mm2 C56 N/mm² N/mm**2
m MTR m m
km KMT,KTM km km
dm DMT dm dm
cm CMT cm cm
mm MMT mm mm
um 4H µm um
nm C45 nm nm
[in_i] INH in inch
[ft_i] FOT ft foot
[mi_i] SMI mi mile
m2 MTK m² m**2
cm2 CMK cm² cm**2
mm2 MMK mm² mm**2
har HAR ha hectare
m3 MTQ m³ m**3
dm3 DMQ dm³ dm**3
cm3 CMQ cm³ cm**3
mm3 MMQ mm³ mm**3
L LTR l liter
mL MLT ml milliliter
uL 4G µl microliter
[gal_us] GLL gal gallon
s SEC s s
ms C26 ms ms
us B98 µs us
ns C47 ns ns
min MIN min min
h HUR h hour
d DAY d day
wk WEE wk week
a ANN a year
rad C81 rad rad
mrad C25 mrad mrad
deg DD ° degree
gon A91 gon grade
rad/s 2A rad/s rad/s
rad/s2 2B rad/s² rad/s**2
deg/s E96 °/s degree/s
{rev} M44 rev turn
{rev}/min RPM,M46 1/min turn/min
{rev}/s RPS r/s turn/s
/min C94 1/min 1/min
/s C97 1/s 1/s
/h H10 1/h 1/hour
Hz HTZ Hz Hz
kHz KHZ kHz kHz
MHz MHZ MHz MHz
GHz A86 GHz GHz
m/s MTS m/s m/s
m/min 2X m/min m/min
m/h M60 m/h m/hour
km/h KMH km/h km/hour
mm/s C16 mm/s mm/s
mm/min H81 mm/min mm/min
um/s - µm/s um/s
m/s2 MSK m/s² m/s**2
mm/s2 M41 mm/s² mm/s**2
[g] K40 g standard_gravity
kg KGM kg kg
g GRM g gram
mg MGM mg mg
ug MC µg ug
t TNE t tonne
[lb_av] LBR lb pound
kg/m3 KMQ kg/m³ kg/m**3
g/cm3 23 g/cm³ gram/cm**3
g/L GL g/l gram/liter
mg/L M1 mg/l mg/liter
kg/L B35 kg/l kg/liter
mg/m3 GP mg/m³ mg/m**3
ug/m3 GQ µg/m³ ug/m**3
g/m2 GM g/m² gram/m**2
kg/m2 28 kg/m² kg/m**2
mg/kg NA mg/kg mg/kg
N NEW N N
kN B47 kN kN
MN B73 MN MN
mN C20 mN mN
N.m NU N·m N*m
kN.m B48 kN·m kN*m
N/m 4P N/m N/m
N/mm F47 N/mm N/mm
Pa.s C65 Pa·s Pa*s
mPa.s C24 mPa·s mPa*s
cP C7 cP centipoise
mm2/s C17 mm²/s mm**2/s
cSt 4C cSt centistokes
J JOU J J
kJ KJO kJ kJ
MJ 3B MJ MJ
GJ GV GJ GJ
W.h WHR Wh W*hour
kW.h KWH kWh kW*hour
MW.h MWH MWh MW*hour
W WTT W W
mW C31 mW mW
kW KWT kW kW
MW MAW MW MW
GW A90 GW GW
[HP] BHP hp horsepower
V.A D46 VA V*A
kV.A KVA kVA kV*A
MV.A MVA MVA MV*A
var D44 var VAR
kvar KVR,K5 kvar kVAR
Mvar MAR Mvar MVAR
kvar.h K3 kvarh kVAR*hour
kV.A.h C79 kVAh kV*A*hour
V VLT V V
mV 2Z mV mV
uV D82 µV uV
kV KVT kV kV
A AMP A A
mA 4K mA mA
uA B84 µA uA
kA B22 kA kA
A.h AMH Ah A*hour
Ohm OHM Ω ohm
mOhm E45 mΩ mohm
kOhm B49 kΩ kohm
MOhm B75 MΩ Mohm
S SIE S siemens
mS/cm H61 mS/cm mS/cm
uS/cm G42 µS/cm uS/cm
F FAR F farad
uF 4O µF uF
H 81 H henry
mH C14 mH mH
T D33 T tesla
m3/s MQS m³/s m**3/s
m3/min G53 m³/min m**3/min
m3/h MQH m³/h m**3/hour
m3/d G52 m³/d m**3/day
L/s G51 l/s liter/s
L/min L2 l/min liter/min
L/h E92 l/h liter/hour
mL/min 41 ml/min milliliter/min
mL/s 40 ml/s milliliter/s
kg/s KGS kg/s kg/s
kg/min F31 kg/min kg/min
kg/h E93 kg/h kg/hour
g/min F28 g/min gram/min
g/s F29 g/s gram/s
t/h E18 t/h tonne/hour
t/d L71 t/d tonne/day
W/m2 D54 W/m² W/m**2
W/m2/K D55 W/(m²·K) W/m**2/kelvin
W/m/K D53 W/(m·K) W/m/kelvin
J/kg J2 J/kg J/kg
kJ/kg B42 kJ/kg kJ/kg
lx LUX lx lux
lm LUM lm lumen
cd CDL cd candela
cd/m2 A24 cd/m² cd/m**2
mol C34 mol mol
mmol/L M33 mmol/l mmol/liter
Bq BQL Bq becquerel
Sv D13 Sv sievert
"""
# What people write when they mean the code on the right; none of these is a UCUM code of ours.
_MEANT = {
    "degC": "Cel", "°C": "Cel", "C°": "Cel", "celsius": "Cel", "degF": "[degF]", "°F": "[degF]",
    "psi": "[psi]", "rpm": "{rev}/min", "RPM": "{rev}/min", "kWh": "kW.h", "Wh": "W.h",
    "MWh": "MW.h", "Ah": "A.h", "VA": "V.A", "kVA": "kV.A", "kvarh": "kvar.h", "Nm": "N.m",
    "m³": "m3", "m²": "m2", "m3h": "m3/h", "m³/h": "m3/h", "percent": "%", "pct": "%",
    "ppm": "[ppm]", "pH": "[pH]", "µm": "um", "μm": "um", "sec": "s", "hr": "h", "hour": "h",
    "ohm": "Ohm", "Ω": "Ohm", "°": "deg", "in": "[in_i]", "inch": "[in_i]", "ft": "[ft_i]",
    "lb": "[lb_av]", "hp": "[HP]", "ha": "har", "pcs": "{pieces}", "pieces": "{pieces}",
    "mmHg": "mm[Hg]", "celcius": "Cel", "kph": "km/h", "tonne": "t", "Pas": "Pa.s",
}  # fmt: skip
_METRIC = frozenset(
    "m g s Pa bar N J W V A Ohm S F H T C K L Hz mol var lx lm cd Bq Sv".split()  # noqa: SIM905
)
_PREFIXES = "GMkhdcmunp"
_COUNTED = re.compile(r"\{[!-z|~]+\}")
_FACTOR = re.compile(r"(.+?)(-?[2-9]|-1)?")
_LITRE = re.compile(r"(?<![A-Za-z])([umcdhk]?)L(?![a-z])")


@functools.cache
def table() -> dict[str, Unit]:
    """Every unit that has a row, by UCUM code."""
    rows = (line.split() for line in _TABLE.strip().splitlines())
    return {
        ucum: Unit(ucum, () if unece == "-" else tuple(unece.split(",")), symbol, pint)
        for ucum, unece, symbol, pint in rows
    }


@functools.cache
def _by_unece() -> dict[str, Unit]:
    return {code: unit for unit in table().values() for code in unit.unece}


@functools.cache
def _other_spellings() -> dict[str, str]:
    """UCUM lets a litre be `l`, and a reciprocal begin with `1/`; we write `L` and `/`."""
    small = {_LITRE.sub(r"\1l", code): code for code in table()}
    return {s: c for s, c in small.items() if s != c} | {
        f"1{code}": code for code in table() if code.startswith("/")
    }


@functools.lru_cache(4096)
def find_unit(ucum: str) -> Unit | None:
    """The unit with that code, from the table or put together from it; None when unknown."""
    ucum = _other_spellings().get(ucum, ucum)
    if unit := table().get(ucum):
        return unit
    symbols, terms = "", ""
    for place, part in enumerate(re.split(r"([./])", ucum)):
        if place % 2:
            symbols += "·" if part == "." else "/"
            terms += "*" if part == "." else "/"
        elif factor := _factor(part):
            symbols += factor.symbol
            terms += f"({factor.pint})"
        else:
            return None
    return Unit(ucum, (), symbols, terms)


def _factor(part: str) -> Unit | None:
    """A unit of the table, perhaps with an exponent, or something counted."""
    if _COUNTED.fullmatch(part):
        return Unit(part, (), part[1:-1], "dimensionless")
    known = table()
    part = _other_spellings().get(part, part)
    if part in known:
        return known[part]
    if part[:1] in _PREFIXES and part[1:] in _METRIC:
        base = known[part[1:]]
        return Unit(part, (), part[0].replace("u", "µ") + base.symbol, part[0] + base.pint)
    found = _FACTOR.fullmatch(part)
    whole = _factor(found[1]) if found and found[2] and not found[1][-1].isdigit() else None
    if not found or not whole:
        return None
    raised = found[2].translate(str.maketrans("-123456789", "⁻¹²³⁴⁵⁶⁷⁸⁹"))
    return Unit(part, (), whole.symbol + raised, f"({whole.pint})**{found[2]}")


def check_unit(ucum: str) -> str:
    """The code in our spelling; the empty one, for no unit, is fine.

    Raises:
        Invalid: nobody knows the unit; the message names the nearest ones.
    """
    if not ucum:
        return ucum
    if unit := find_unit(ucum):
        return unit.ucum
    near = _near(ucum)
    meant = f", did you mean {' or '.join(map(repr, near))}?" if near else ""
    raise Invalid(
        f"wrong unit {ucum!r}{meant or ', wanted a UCUM code'}",
        remedy="Write units in UCUM, such as Cel, bar, kW.h, L/min, {rev}/min or {pieces}.",
    )


def _near(ucum: str) -> list[str]:
    """Up to three codes that were probably meant."""
    if ucum in _MEANT:
        return [_MEANT[ucum]]
    for unit in table().values():
        if ucum == unit.symbol:
            return [unit.ucum]
    same = [c for c in (*table(), *_MEANT) if c.casefold() == ucum.casefold()]
    near = same or difflib.get_close_matches(ucum, [*table(), *_MEANT], 3, 0.6)
    return list(dict.fromkeys(_MEANT.get(c, c) for c in near))


def from_unece(code: str | int) -> str:
    """The UCUM code for a common code of UNECE, or for a unit identifier of OPC UA.

    The empty text when there is none in the table.
    """
    if isinstance(code, int):
        if not 0 < code < 1 << 32:
            return ""
        code = code.to_bytes(4, "big").lstrip(b"\0").decode("ascii", "replace")
    unit = _by_unece().get(code)
    return unit.ucum if unit else ""


def to_unece(ucum: str) -> str:
    """The usual common code of UNECE for the unit; empty when there is none."""
    unit = find_unit(ucum)
    return unit.unece[0] if unit and unit.unece else ""


def unit_id(ucum: str) -> int:
    """The unit identifier of OPC UA for the unit; -1 when there is none."""
    return int.from_bytes(to_unece(ucum).encode(), "big") or -1


def from_symbol(text: str) -> str:
    """The UCUM code for what a device shows (`°C`, `l/min`, `psi`); empty when unknown."""
    text = text.strip()
    if not text or find_unit(text):
        return find_unit(text).ucum if text else ""  # type: ignore[union-attr]
    return next((u.ucum for u in table().values() if u.symbol == text), _MEANT.get(text, ""))


def symbol(ucum: str) -> str:
    """What people read for the unit: `°C` for `Cel`; the code itself when it is unknown."""
    unit = find_unit(ucum)
    return unit.symbol if unit else ucum


@functools.cache
def _registry() -> Any:  # noqa: ANN401 - Pint is imported late and carries no types
    import pint  # noqa: PLC0415 - takes a third of a second, and few ever convert

    registry = pint.UnitRegistry(autoconvert_offset_to_baseunit=True)
    for line in ("ppb = 1e-9", "metre_water = 9806.65 * pascal", "VAR = volt * ampere"):
        registry.define(line)
    return registry


def convert(value: float, from_: str, to: str) -> float:
    """The value in another unit.

    Raises:
        Invalid: a unit is unknown, or they do not measure the same.
    """
    if from_ == to:
        return value
    import pint  # noqa: PLC0415

    units = [find_unit(check_unit(code)) for code in (from_, to)]
    source, target = (unit.pint if unit else "dimensionless" for unit in units)
    try:
        return float(_registry().Quantity(value, source).to(target).magnitude)
    except pint.DimensionalityError as error:
        raise Invalid(
            f"{from_!r} cannot be converted to {to!r}: {error}",
            remedy="Choose two units of the same kind.",
        ) from None

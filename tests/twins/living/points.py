"""Points as plants have them: those of the demo, and those of people with odd tastes."""

from hypothesis import strategies as st

from lineshaft.core.errors import Invalid
from lineshaft.core.path import FORBIDDEN, LEVEL_CHARS_MAX, check_path
from lineshaft.core.point import Kind, Point
from lineshaft.demo.machines import PLACES, SPECS
from lineshaft.twins.living import Config, Link
from lineshaft.twins.living.assets import assets
from lineshaft.twins.living.making import documents
from lineshaft.twins.living.names import Scheme

DEMO = [
    Point(
        path=f"{place}/{s.name}",
        kind=Kind.ENUM if s.names else s.kind,
        unit=s.unit,
        low=s.low,
        high=s.high,
        description=s.description,
        names=s.names,
        source=machine,
        address=f"ns=2;s={machine}.{s.name}",
    )
    for machine, place in PLACES.items()
    for s in SPECS[machine]
]


def link(source):
    return Link(name=source, protocol="OPC UA", address="opc.tcp://127.0.0.1:4840/")


def made(points, *, url="", co2=0.4):
    """Every document that is generated for the points."""
    scheme, config = Scheme(url, "Acme Qingdao"), Config(url=url, co2_kg_per_kwh=co2)
    return [d for a in assets(points).values() for d in documents(a, scheme, config, link)]


def _is_path(text):
    try:
        check_path(text)
    except Invalid:
        return False
    return True


LEVELS = st.one_of(
    st.sampled_from(["press", "Press", "PRESS", "1", "-", "_", "a-b", "a_b", "压机", "Öl", "Oel"]),
    st.text(
        st.characters(blacklist_categories=("Z", "C", "M"), blacklist_characters=FORBIDDEN + "/"),
        min_size=1,
        max_size=LEVEL_CHARS_MAX,
    ),
)
PATHS = st.lists(LEVELS, min_size=2, max_size=4).map("/".join).filter(_is_path)
TEXTS = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cn")), max_size=40)
POINTS = st.builds(
    Point,
    path=PATHS,
    kind=st.sampled_from(Kind),
    unit=st.sampled_from(["", "Cel", "kW.h", "%", "bar"]),
    low=st.none() | st.floats(-1e9, 1e9),
    high=st.none() | st.floats(-1e9, 1e9),
    description=TEXTS,
    names=st.dictionaries(st.sampled_from("012"), TEXTS, max_size=2),
    class_=st.sampled_from(["", "0173-1#02-AAO677#004"]),
    source=st.sampled_from(["", "press", "cell 1", "压"]),
    address=TEXTS,
)

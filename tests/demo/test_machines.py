"""The physics: plausible, coupled, and the same whenever it is told."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineshaft.core.clock import NS_PER_S, from_iso
from lineshaft.core.path import check_path
from lineshaft.core.point import Kind
from lineshaft.demo.addresses import MAPS
from lineshaft.demo.logbook import Entry, Logbook, What
from lineshaft.demo.machines import PLACES, SPECS, Factory
from lineshaft.demo.timeline import NAMES, State, Timeline
from lineshaft.demo.world import DAYS_BEFORE, first_midnight

NOW = from_iso("2026-03-10T05:00:00Z")
EPOCH = first_midnight(NOW)
COUNTERS = [(m, s.name) for m in PLACES for s in SPECS[m] if s.kind is Kind.INTEGER]


@pytest.fixture
def logbook(tmp_path: Path) -> Logbook:
    return Logbook(tmp_path / "logbook.jsonl")


def factory(logbook: Logbook, seed: int = 1) -> Factory:
    return Factory(seed, EPOCH, logbook.path)


def span(start_ns: int, seconds: float, step_s: float) -> np.ndarray:
    return start_ns + np.arange(0, int(seconds * NS_PER_S), int(step_s * NS_PER_S), dtype=np.int64)


@pytest.mark.parametrize("machine", PLACES)
def test_every_point_of_the_manual_has_values_and_no_other(machine: str, logbook: Logbook):
    values = factory(logbook).values(machine, span(NOW, 60, 1))
    assert set(values) == {s.name for s in SPECS[machine]}
    assert {len(v) for v in values.values()} == {60}
    assert all(check_path(f"{PLACES[machine]}/{s.name}") for s in SPECS[machine])


@pytest.mark.parametrize("machine", PLACES)
def test_values_stay_in_their_declared_range_for_a_day(machine: str, logbook: Logbook):
    values = factory(logbook).values(machine, span(NOW - 86_400 * NS_PER_S, 86_400, 7))
    for spec in SPECS[machine]:
        column = values[spec.name]
        if spec.low is not None:
            assert column.min() >= spec.low, spec.name
        if spec.high is not None:
            assert column.max() <= spec.high, spec.name
        if spec.names:
            assert {str(v) for v in np.unique(column)} <= set(spec.names), spec.name


@pytest.mark.parametrize("machine", PLACES)
def test_a_restarted_process_tells_the_same(machine: str, logbook: Logbook):
    times = span(NOW, 30, 0.5)
    whole = factory(logbook).values(machine, times)
    again = factory(logbook)
    for place in (59, 0, 31):  # in any order
        one = again.values(machine, times[place : place + 1])
        for name, column in one.items():
            assert column[0] == whole[name][place], name


def test_another_seed_is_another_factory(logbook: Logbook):
    times = span(NOW, 600, 1)
    one = factory(logbook, 1).values("cnc-1", times)["vibration"]
    other = factory(logbook, 2).values("cnc-1", times)["vibration"]
    assert np.abs(one - other).max() > 0.1


@pytest.mark.parametrize(("machine", "name"), COUNTERS)
def test_counters_never_fall_and_do_rise(machine: str, name: str, logbook: Logbook):
    column = factory(logbook).values(machine, span(EPOCH, DAYS_BEFORE * 86_400, 600))[name]
    assert (np.diff(column) >= 0).all()
    assert column[-1] > column[0]


def test_the_meter_shows_the_sum_of_all_machines(logbook: Logbook):
    made = factory(logbook)
    times = span(NOW, 3600, 10)
    total = sum(made.values(m, times)["power"] for m in PLACES if m != "meter")
    building = made.values("meter", times)["power"] - total
    assert np.abs(building - building.mean()).max() < 1.0


def test_energy_is_what_the_power_adds_up_to(logbook: Logbook):
    made = factory(logbook)
    times = span(NOW, 7200, 1)
    meter = made.values("meter", times)
    added_up = meter["power"].mean() * 7199 / 3600
    assert meter["energy"][-1] - meter["energy"][0] == pytest.approx(added_up, rel=0.03)


def test_temperatures_have_inertia(logbook: Logbook):
    column = factory(logbook).values("cnc-2", span(NOW, 86_400, 1))["spindle_temperature"]
    assert column.max() - column.min() > 3.0
    assert np.abs(np.diff(column)).max() < 0.2


def test_a_fault_stops_the_machine_and_the_parts_are_not_made_up_later(logbook: Logbook):
    well = factory(logbook)
    times = span(NOW, 1800, 1)
    running = np.flatnonzero(well.values("cnc-1", times)["state"] == State.RUNNING)[0]
    start = int(times[running])
    stop = start + 600 * NS_PER_S
    logbook.add(Entry(time_ns=start, machine="cnc-1", what=What.STOP, stop_ns=stop))
    ill = factory(logbook)
    inside = span(start, 600, 1)
    values = ill.values("cnc-1", inside)
    assert (values["state"] == State.FAULT).all()
    assert values["spindle_speed"].max() == 0.0
    assert np.ptp(values["parts_good"]) == 0
    late = np.array([stop + 3600 * NS_PER_S])
    before = np.array([start - 1])
    assert ill.values("cnc-1", before)["parts_good"] == well.values("cnc-1", before)["parts_good"]
    assert ill.values("cnc-1", late)["parts_good"] < well.values("cnc-1", late)["parts_good"]
    well_kw, ill_kw = (f.values("meter", inside)["power"].mean() for f in (well, ill))
    assert ill_kw < well_kw - 2.0


def test_a_set_point_written_to_the_chiller_is_felt_by_the_machines(logbook: Logbook):
    logbook.add(Entry(time_ns=NOW, machine="chiller", what=What.SET, point="setpoint", value=13.0))
    times = np.array([NOW - NS_PER_S, NOW + 30 * NS_PER_S, NOW + 1800 * NS_PER_S])
    warm = factory(logbook)
    chiller = warm.values("chiller", times)
    assert chiller["setpoint"].tolist() == [8.0, 13.0, 13.0]
    supply = chiller["supply_temperature"]
    assert supply[0] < supply[1] < 10.0 < supply[2]
    cold = Factory(1, EPOCH, Path("/nowhere"))
    tank = [f.values("cnc-1", times)["coolant_temperature"][2] for f in (cold, warm)]
    assert tank[1] - tank[0] == pytest.approx(3.0, abs=0.3)


def test_a_lower_override_slows_the_spindle_and_the_parts(logbook: Logbook):
    logbook.add(
        Entry(time_ns=NOW, machine="cnc-1", what=What.SET, point="spindle_override", value=50.0)
    )
    slow, fast = factory(logbook), Factory(1, EPOCH, Path("/nowhere"))
    times = span(NOW, 6 * 3600, 5)
    made = [np.ptp(f.values("cnc-1", times)["parts_good"]) for f in (slow, fast)]
    assert made[0] == pytest.approx(made[1] / 2, rel=0.05)
    speed = [f.values("cnc-1", times)["spindle_speed"].max() for f in (slow, fast)]
    assert speed[0] == pytest.approx(speed[1] / 2, rel=0.05)


def test_the_factory_takes_up_what_the_logbook_gets_while_it_runs(logbook: Logbook):
    made = factory(logbook)
    at = np.array([NOW + NS_PER_S])
    assert made.values("chiller", at)["setpoint"] == 8.0
    changes = made.refresh()
    logbook.add(Entry(time_ns=NOW, machine="chiller", what=What.SET, point="setpoint", value=11.0))
    assert made.refresh() == changes + 1
    assert made.values("chiller", at)["setpoint"] == 11.0


def test_a_spoilt_line_in_the_logbook_harms_nothing(logbook: Logbook):
    logbook.path.write_bytes(b'{"time_ns": "never"}\n\x00\x00\n')
    logbook.set("chiller", "setpoint", 9.0)
    with logbook.path.open("ab") as file:
        file.write(b'{"time_ns": 17')  # a line that is being written just now
    assert [e.value for e in logbook.refresh()] == [9.0]
    with logbook.path.open("ab") as file:
        file.write(b'0, "machine": "press", "what": "stop", "stop_ns": 171}\n')
    assert [e.machine for e in logbook.refresh()] == ["press"]


@given(
    st.lists(
        st.tuples(st.floats(1.0, 5000.0), st.sampled_from(list(State))), min_size=1, max_size=30
    ),
    st.floats(0.0, 200_000.0),
    st.floats(0.0, 20_000.0),
)
def test_an_overlay_takes_exactly_its_time_from_what_adds_up(segments, start, length):
    lengths = [s[0] for s in segments]
    starts = np.concatenate(([0.0], np.cumsum(lengths)))[:-1]
    line = Timeline(starts, np.array([int(s[1]) for s in segments]))
    other = line.overlay(start, start + length, State.FAULT)
    end = np.array([250_000.0])
    rate = {"running": 1.0}
    between = np.array([start, start + length])
    taken = np.diff(line.sum(line.rate(**rate))(between))[0]
    left = other.sum(other.rate(**rate))(end)[0]
    assert left == pytest.approx(line.sum(line.rate(**rate))(end)[0] - taken, abs=1e-3)
    assert (np.diff(other.start_s) > 0).all()


def test_states_have_names():
    assert NAMES["2"] == "running"
    assert {r.point for m in MAPS for r in MAPS[m]} == {s.name for m in MAPS for s in SPECS[m]}


@given(st.sampled_from([r for m in MAPS for r in MAPS[m] if r.size == 1]), st.floats(0, 100))
def test_a_register_gives_back_what_it_was_given(register, value):
    (word,) = register.words(value)
    assert register.value(word) == pytest.approx(value, abs=register.scale / 2 + 1e-9)

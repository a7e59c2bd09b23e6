import asyncio
from contextlib import asynccontextmanager

import msgspec
import pytest

from lineshaft.core.access import SYSTEM, Action, Identity
from lineshaft.core.errors import Denied, Invalid, Missing, Refused
from lineshaft.core.plugin import build, find
from lineshaft.plant import Plant
from lineshaft.records import Records
from lineshaft.settings import load_text
from lineshaft.twins import Class
from lineshaft.twins.documents import COLLECTIONS as DOCUMENTS
from lineshaft.twins.documents import Documents, Remove, Write
from lineshaft.twins.plug import COLLECTIONS, Config, Interpreted, Mode, Wanted
from lineshaft.twins.plug.hosts import check_hosts, strange
from lineshaft.twins.plug.kept import State
from lineshaft.twins.plug.plugger import Plugger
from lineshaft.twins.plug.routes import plug_view

ENGINEER = Identity(
    name="ann", actions=frozenset({Action.LOOK, Action.CONFIGURE}), branches=("hall",)
)
HOSTS = ("127.0.0.0/8", "192.0.2.0/24", "*.example")
POINT = "hall/m/Modbus/supply"
LIVE = [("SubmodelElementCollection", "Live"), ("Property", "Supply")]


class Shown:
    """Where a test looks up what is bound."""

    def __init__(self):
        self.bindings = {}

    async def bind(self, who, source, bindings):
        self.bindings[source] = [(b.submodel, b.path, b.point) for b in bindings]


class World:
    """A plant with documents, and a plugger between them."""

    def __init__(self, plant, records, mode, hosts):
        self.plant, self.records, self.mode, self.hosts = plant, records, mode, hosts
        self.documents = Documents(records, announce=plant.spine.announce)
        self.shown = Shown()
        self.plugger = self.another()

    def another(self, **more):
        """A plugger, as a new start of the process would make it."""
        security = self.plant.security
        return Plugger(
            Config(plug=self.mode, plug_hosts=self.hosts),
            self.documents,
            self.records,
            self.plant.spine,
            self.plant,
            authorizer=security.authorizer,
            audit=security.audit,
            bindings=self.shown,
            **more,
        )

    async def put(self, *submodels, path="hall/m", **more):
        writes = [
            Write(class_=Class.SUBMODEL, id=s["id"], obj=s, path=path, **more) for s in submodels
        ]
        await self.documents.commit(SYSTEM, *writes)

    async def shell(self, *submodels, path=""):
        keys = [{"keys": [{"type": "Submodel", "value": s}]} for s in submodels]
        shell = {"modelType": "AssetAdministrationShell", "id": "urn:shell", "idShort": "Press"}
        shell |= {"submodels": keys, "assetInformation": {"assetKind": "Instance"}}
        write = Write(class_=Class.SHELL, id="urn:shell", obj=shell, path=path)
        await self.documents.commit(SYSTEM, write)

    async def state(self, submodel):
        found = await self.documents.get(Class.SUBMODEL, submodel)
        return (await self.plugger.kept(found)).state

    async def name(self, submodel):
        """Name of the one connection that a description asks for."""
        found = await self.plugger.seen(SYSTEM, submodel)
        (wanted,) = (await self.plugger.machines.interpreted(found, "x")).wanted
        return wanted.table["name"]

    def devices(self):
        return {d.name: d for d in self.plant.devices.all()}

    async def events(self):
        logged = await self.plant.records.events(kind="plug", limit=1000)
        return [e.event.kind for e in logged]

    async def until(self, condition):
        async with asyncio.timeout(15):
            while not (await c if asyncio.iscoroutine(c := condition()) else c):
                await asyncio.sleep(0.02)

    async def flows(self, path=POINT):
        await self.until(lambda: self.plant.historian.latest(path) is not None)
        return self.plant.historian.latest(path).value


@pytest.fixture
async def world(tmp_path):
    """Makes a world with the mode that is asked for."""
    text = '[server]\nport = 0\n[store]\nkind = "memory"\n'
    plant = Plant(await asyncio.to_thread(load_text, text, folder=tmp_path))
    records = await asyncio.to_thread(build, Records, {"kind": "memory"})
    up = asyncio.Event()

    @asynccontextmanager
    async def make(mode=Mode.ASK, hosts=HOSTS):
        async with asyncio.TaskGroup() as group, records.opened((*DOCUMENTS, *COLLECTIONS)):
            group.create_task(plant.run(lambda _: up.set()))
            await up.wait()
            made = World(plant, records, mode, hosts)
            task = group.create_task(made.plugger.run())
            await asyncio.sleep(0)
            try:
                yield made
            finally:
                task.cancel()
                plant.stop()
                await asyncio.wait([task])

    return make


@pytest.fixture
async def chiller():
    plugin = await asyncio.to_thread(find, "drivers", "modbus")
    async with plugin.bench() as bench:
        yield bench


@pytest.fixture
def aid(machines, chiller):
    """The description of the chiller, with further properties or another address."""

    def make(*more, base="", **face):
        supply = machines.form("/0?quantity=2", modv_entity="InputRegister", modv_type="xsd:float")
        return machines.description(
            machines.interface(
                "Modbus",
                base or f"modbus+tcp://127.0.0.1:{chiller.port}/1",
                machines.value("supply", unit="Cel", forms=supply),
                *more,
                **face,
            )
        )

    return make


@pytest.fixture
def data(machines):
    return machines.submodel(
        machines.DATA, "Data", "urn:data", machines.smc("Live", machines.prop("Supply", "0"))
    )


def pump(machines):
    form = machines.form("0", modv_entity="Coil")
    return machines.value("pump", "boolean", forms=form)


async def test_a_description_is_proposed_once_and_connects_nothing(world, aid, machines):
    async with world() as w:
        await w.put(aid())
        await w.until(w.events)
        await w.put(aid(pump(machines)))
        await w.put(aid())
        await w.plugger.settle_all()
        assert await w.events() == ["plug.proposed"]
        assert await w.state(machines.AID) is State.PROPOSED
        assert not w.devices()


async def test_what_an_engineer_agrees_to_is_connected_and_bound(world, aid, data, machines):
    async with world() as w:
        mapping = machines.mapping((machines.source_keys("Modbus", "supply"), LIVE), poll_s=0.05)
        await w.put(aid(), mapping, data)
        plug = await w.plugger.plug(ENGINEER, machines.AID)
        assert (plug.state, plug.at, plug.problems) == (State.PLUGGED, "hall/m", {})
        assert await w.flows() == 6.5
        assert w.shown.bindings[machines.AID] == [(machines.DATA, "Live.Supply", POINT)]
        await w.plugger.plug(ENGINEER, machines.AID)
        assert (await w.events()).count("plug.connected") == 1


async def test_what_changes_at_the_same_address_is_followed(world, aid, machines):
    async with world() as w:
        await w.put(aid())
        await w.plugger.plug(ENGINEER, machines.AID)
        await w.flows()
        await w.put(aid(pump(machines)))
        await w.flows("hall/m/Modbus/pump")
        assert len(w.devices()) == 1
        await w.until(w.events)
        assert (await w.events())[-1] == "plug.changed"


async def test_another_address_waits_for_the_engineer(world, aid, machines):
    async with world() as w:
        await w.put(aid())
        await w.plugger.plug(ENGINEER, machines.AID)
        await w.flows()
        (before,) = w.devices().values()
        await w.put(aid(base="modbus+tcp://192.0.2.1:502/1"))

        async def waits():
            return await w.state(machines.AID) is State.WAITING

        await w.until(waits)
        assert w.devices() == {before.name: before}
        plug = await w.plugger.plug(ENGINEER, machines.AID)
        assert plug.state is State.PLUGGED
        assert w.devices()[before.name].driver.config.host == "192.0.2.1"


async def test_a_mapping_that_comes_later_is_followed(world, aid, data, machines):
    async with world() as w:
        await w.put(aid())
        await w.put(data, path="hall/m")
        await w.shell(machines.AID, machines.DATA)
        await w.plugger.plug(ENGINEER, machines.AID)
        mapping = machines.relations((machines.source_keys("Modbus", "supply"), LIVE))
        await w.put(mapping)
        await w.until(lambda: w.shown.bindings.get(machines.AID))
        await w.documents.commit(SYSTEM, Remove(class_=Class.SUBMODEL, id=mapping["id"]))
        await w.until(lambda: w.shown.bindings[machines.AID] == [])


async def test_a_mapping_into_another_shell_needs_the_engineer(world, aid, data, machines):
    async with world() as w:
        await w.put(aid(), data)
        await w.plugger.plug(ENGINEER, machines.AID)
        await w.put(machines.mapping((machines.source_keys("Modbus", "supply"), LIVE)))

        async def told():
            found = await w.documents.get(Class.SUBMODEL, machines.AID)
            return "another shell" in str((await w.plugger.kept(found)).problems)

        await w.until(told)
        assert not w.shown.bindings.get(machines.AID)
        await w.plugger.plug(ENGINEER, machines.AID)
        assert w.shown.bindings[machines.AID]


async def test_a_mapping_to_what_is_not_there_is_told(world, aid, data, machines):
    async with world() as w:
        nowhere = [("SubmodelElementCollection", "Live"), ("Property", "Nowhere")]
        mapping = machines.mapping((machines.source_keys("Modbus", "supply"), nowhere))
        await w.put(aid(), data, mapping)
        plug = await w.plugger.plug(ENGINEER, machines.AID)
        (problem,) = plug.problems.values()
        assert "Live.Nowhere" in problem
        assert not w.shown.bindings.get(machines.AID)


async def test_an_element_that_comes_later_is_bound_then(world, aid, data, machines):
    async with world() as w:
        mapping = machines.mapping((machines.source_keys("Modbus", "supply"), LIVE))
        await w.put(aid(), mapping)
        await w.shell(machines.AID, machines.DATA)
        plug = await w.plugger.plug(ENGINEER, machines.AID)
        assert list(plug.problems.values()) == ["there is no such submodel"]
        await w.put(data)
        await w.until(lambda: w.shown.bindings.get(machines.AID))


async def test_with_the_description_its_connections_go(world, aid, data, machines):
    async with world() as w:
        mapping = machines.mapping((machines.source_keys("Modbus", "supply"), LIVE))
        await w.put(aid(), data, mapping)
        await w.plugger.plug(ENGINEER, machines.AID)
        await w.documents.commit(SYSTEM, Remove(class_=Class.SUBMODEL, id=machines.AID))
        await w.until(lambda: not w.devices())
        await w.until(lambda: w.shown.bindings[machines.AID] == [])
        # It is told last, after the bindings are gone.
        await w.until(lambda: _told_last(w, "plug.removed"))


async def _told_last(w, kind):
    return (await w.events())[-1] == kind


async def test_what_is_unplugged_stays_so(world, aid, machines):
    async with world(Mode.AUTO) as w:
        await w.put(aid())
        await w.until(w.devices)
        await w.plugger.unplug(ENGINEER, machines.AID)
        assert not w.devices()
        await w.put(aid(pump(machines)))
        await w.plugger.settle_all()
        assert not w.devices()
        await w.plugger.plug(ENGINEER, machines.AID)
        assert w.devices()


async def test_what_was_taken_away_by_hand_comes_back_only_when_agreed_again(world, aid, machines):
    async with world() as w:
        await w.put(aid())
        await w.plugger.plug(ENGINEER, machines.AID)
        (name,) = w.devices()
        await w.plant.disconnect(SYSTEM, name)
        await w.plugger.settle_all()
        assert not w.devices()
        await w.plugger.plug(ENGINEER, machines.AID)
        assert set(w.devices()) == {name}


async def test_auto_connects_at_once_and_follows_the_address(world, aid, machines):
    async with world(Mode.AUTO) as w:
        await w.put(aid())
        await w.flows()
        await w.put(aid(base="modbus+tcp://192.0.2.1:502/1"))
        await w.until(lambda: [d.driver.config.host for d in w.devices().values()] == ["192.0.2.1"])


async def test_credentials_do_not_follow_to_another_address(world, machines, monkeypatch):
    monkeypatch.setenv("PLUG_TEST", "secret")

    def web(base):
        basic = machines.smc("basic_sc", machines.prop("scheme", "basic"))
        part = machines.value("a", forms=machines.form("a"))
        return machines.description(machines.interface("Web", base, part, schemes=[basic]))

    async with world(Mode.AUTO) as w:
        await w.put(web("http://127.0.0.1:9/"))
        await w.until(w.events)
        assert not w.devices()
        name = await w.name(machines.AID)
        given = {name: {"username": "u", "password": {"env": "PLUG_TEST"}}}
        with pytest.raises(Denied, match="secret"):
            await w.plugger.plug(ENGINEER, machines.AID, given=given)
        await w.plugger.plug(SYSTEM, machines.AID, given=given)
        assert w.devices()[name].driver.config.password.reveal() == "secret"
        await w.put(web("http://192.0.2.66/"))

        async def waits():
            return await w.state(machines.AID) is State.WAITING

        await w.until(waits)
        assert w.devices()[name].driver.config.base_url == "http://127.0.0.1:9/"
        plug = await w.plugger.plug(ENGINEER, machines.AID)
        assert plug.problems == {name: "needs username, password"}
        assert not w.devices()
        await w.plugger.plug(SYSTEM, machines.AID, given=given)
        assert w.devices()[name].driver.config.base_url == "http://192.0.2.66/"


async def test_only_what_is_needed_can_be_given_and_no_secret_as_text(world, aid, machines):
    basic = machines.smc("basic_sc", machines.prop("scheme", "basic"))
    part = machines.value("a", forms=machines.form("a"))
    face = machines.interface("Web", "http://127.0.0.1:9/", part, schemes=[basic])
    async with world() as w:
        await w.put(machines.description(face))
        name = await w.name(machines.AID)
        for given, words in (
            ({name: {"base_url": "http://192.0.2.1/"}}, "base_url"),
            ({"press": {"username": "u"}}, "'press' is given"),
            ({name: {"username": "u", "password": "hunter2"}}, "given as text"),
        ):
            with pytest.raises(Invalid, match=words):
                await w.plugger.plug(SYSTEM, machines.AID, given=given)
        plug = await w.plugger.plug(ENGINEER, machines.AID, given={name: {"username": "u"}})
        assert plug.problems == {name: "needs password"}
        assert not w.devices()


async def test_only_who_may_configure_the_branch_connects(world, aid, machines):
    async with world() as w:
        await w.put(aid())
        with pytest.raises(Denied):
            await w.plugger.plug(ENGINEER, machines.AID, at="other/m")
        stranger = Identity(name="bob", actions=ENGINEER.actions, branches=("other",))
        with pytest.raises(Missing):
            await w.plugger.plug(stranger, machines.AID, at="other/m")
        with pytest.raises(Invalid):
            await w.plugger.plug(ENGINEER, machines.AID, at="hall//m")
        with pytest.raises(Missing):
            await w.plugger.plug(ENGINEER, "urn:nothing")
        assert not w.devices()


async def test_an_engineer_of_a_branch_plugs_to_hosts_of_the_settings_alone(world, aid, machines):
    async with world(hosts=("192.0.2.0/24",)) as w:
        await w.put(aid())
        with pytest.raises(Denied, match=r"connect to 127\.0\.0\.1"):
            await w.plugger.plug(ENGINEER, machines.AID)
        assert not w.devices()
        whole = Identity(name="eva", actions=ENGINEER.actions)
        plug = await w.plugger.plug(whole, machines.AID)
        assert (plug.state, plug.problems) == (State.PLUGGED, {})
        # What was agreed to once is no licence for another address.
        await w.put(aid(base="modbus+tcp://198.51.100.1:502/1"))
        with pytest.raises(Denied, match="198"):
            await w.plugger.plug(ENGINEER, machines.AID)
        await w.put(aid(base="modbus+tcp://192.0.2.1:502/1"))
        assert (await w.plugger.plug(ENGINEER, machines.AID)).state is State.PLUGGED


async def test_auto_goes_to_hosts_of_the_settings_alone_when_there_are_some(world, aid, machines):
    async with world(Mode.AUTO, hosts=("192.0.2.0/24",)) as w:
        await w.put(aid())

        async def waits():
            return await w.state(machines.AID) is State.WAITING

        await w.until(waits)
        assert not w.devices()


@pytest.mark.parametrize(
    ("table", "rule", "fits"),
    [
        ({"host": "PLC-1"}, "plc-1", True),
        ({"host": "plc-1"}, "plc-10", False),
        ({"base_url": "http://user@cell.plc.example:81/x"}, "*.plc.example", True),
        ({"base_url": "http://plc.example/"}, "*.plc.example", False),
        ({"base_url": "http://cell.plc.example@198.51.100.1/"}, "*.plc.example", False),
        ({"url": "opc.tcp://[fd00::7]:4840/"}, "fd00::/8", True),
        ({"host": "10.1.2.3"}, "10.1.0.0/16", True),
        ({"host": "10.1.2.3.example"}, "10.1.0.0/16", False),
        ({"url": "opc.tcp:"}, "*.", False),
    ],
)
def test_a_host_is_known_by_name_end_address_or_network(table, rule, fits):
    wanted = Interpreted(
        wanted=(Wanted(element="A", table=table),), points={}, bindings=(), findings=()
    )
    assert (not strange(wanted, [rule])) is fits


@pytest.mark.parametrize("rule", ["", "a b", "10.0.0.0/99", "http://x"])
def test_what_is_no_host_is_refused_in_the_settings(rule):
    with pytest.raises(Invalid, match="plug_hosts"):
        check_hosts([rule])


async def test_what_rules_of_twins_hide_is_not_there(world, aid, machines):
    async with world() as w:
        await w.put(aid())
        strict = w.another(may_read=lambda who, _: who is SYSTEM)
        with pytest.raises(Missing):
            await strict.plug(ENGINEER, machines.AID)
        assert await strict.seen(SYSTEM, machines.AID)


async def test_points_that_another_connection_reads_are_told(world, aid, machines):
    async with world() as w:
        other = {"name": "other", "kind": "modbus", "host": "192.0.2.1", "at": "hall/m/Modbus"}
        await w.plant.connect(SYSTEM, other | {"points": [{"name": "supply", "address": 0}]})
        await w.put(aid())
        plug = await w.plugger.plug(ENGINEER, machines.AID)
        (problem,) = plug.problems.values()
        assert "read by both" in problem
        assert set(w.devices()) == {"other"}
        await w.plant.disconnect(SYSTEM, "other")
        plug = await w.plugger.plug(ENGINEER, machines.AID)
        assert not plug.problems
        await w.flows()


async def test_what_the_plant_made_itself_and_templates_are_left_alone(world, aid, machines):
    async with world(Mode.AUTO) as w:
        await w.put(aid(), origin="generated")
        await w.put(aid() | {"id": "urn:template", "kind": "Template"})
        await w.plugger.settle_all()
        assert not w.devices()
        assert not await w.events()
        with pytest.raises(Missing):
            await w.plugger.plug(ENGINEER, machines.AID)


async def test_off_does_nothing(world, aid, machines):
    async with world(Mode.OFF) as w:
        await w.put(aid())
        with pytest.raises(Refused, match="off"):
            await w.plugger.plug(ENGINEER, machines.AID)
        assert not w.devices()


async def test_what_happened_while_it_was_away_is_made_up_for(world, aid, machines):
    async with world() as w:
        await w.put(aid())
        await w.plugger.plug(ENGINEER, machines.AID)
        w.mode = Mode.ASK
        fresh = w.another()
        form = machines.form("1", modv_entity="Coil")
        door = machines.value("door", "boolean", forms=form)
        silent = Documents(w.records)
        await silent.commit(
            SYSTEM, Write(class_=Class.SUBMODEL, id=machines.AID, obj=aid(door), path="hall/m")
        )
        w.documents = silent
        fresh = w.another()
        await fresh.settle_all()
        await w.flows("hall/m/Modbus/door")


async def test_without_a_branch_the_points_stand_below_the_shells_name(world, aid, machines):
    async with world() as w:
        await w.put(aid(), path="")
        await w.shell(machines.AID)
        plug = await w.plugger.plug(SYSTEM, machines.AID)
        assert plug.at == "twins/Press"


async def test_a_neighbour_cannot_have_values_mapped_to_a_submodel_of_theirs(
    world, aid, data, machines
):
    async with world() as w:
        await w.put(aid())
        await w.put(data, path="yard")
        await w.plugger.plug(ENGINEER, machines.AID)
        await w.shell(machines.AID, machines.DATA)
        mapping = machines.mapping((machines.source_keys("Modbus", "supply"), LIVE))
        await w.put(mapping)
        await w.plugger.machines.learn()
        await w.plugger.settle(machines.AID)
        assert not w.shown.bindings.get(machines.AID)


async def test_a_mapping_of_a_neighbour_changes_nothing(world, aid, data, machines):
    async with world() as w:
        await w.put(aid(), data)
        await w.shell(machines.AID, machines.DATA)
        await w.plugger.plug(ENGINEER, machines.AID)
        mapping = machines.mapping((machines.source_keys("Modbus", "supply"), LIVE))
        await w.put(mapping, path="yard")
        await w.plugger.machines.learn()
        await w.plugger.settle(machines.AID)
        assert not w.shown.bindings.get(machines.AID)


async def test_a_shell_of_a_neighbour_makes_no_kin(world, aid, data, machines):
    async with world() as w:
        await w.put(aid(), data)
        await w.shell(machines.AID, machines.DATA, path="yard")
        await w.plugger.plug(ENGINEER, machines.AID)
        await w.put(machines.mapping((machines.source_keys("Modbus", "supply"), LIVE)))
        await w.plugger.machines.learn()
        await w.plugger.settle(machines.AID)
        assert not w.shown.bindings.get(machines.AID)


async def test_nobody_is_told_of_an_interface_that_rules_hide_nor_agrees_to_it(
    world, aid, data, machines
):
    def hides(who, document):
        if who is SYSTEM:
            return None
        if document.id == machines.DATA:
            return lambda path: path == "Live.Supply"
        return lambda path: not path.startswith("Modbus") or "pump" in path

    async with world() as w:
        face = machines.interface(
            "Secret", "http://192.0.2.7", machines.value("x", forms=machines.form("y"))
        )
        odd = machines.interface("Odd", "ftp://h", machines.value("x", forms=machines.form("y")))
        base = aid(pump(machines))
        base["submodelElements"] += [face, odd]
        mapping = machines.mapping(
            (
                machines.source_keys("Modbus", "supply"),
                LIVE,
            )
        )
        await w.put(base, data, mapping)
        strict = w.another(hides=hides)
        found = await strict.seen(ENGINEER, machines.AID)
        told = {
            who.name: await plug_view(strict, who, found, await strict.kept(found))
            for who in (SYSTEM, ENGINEER)
        }
        whole, part = told[SYSTEM.name], told[ENGINEER.name]
        assert {c.element for c in whole.connections} == {"Modbus", "Secret"}
        assert (len(whole.points), len(whole.bindings)) == (3, 1)
        assert any("ftp" in f.message for f in whole.findings)
        assert [c.element for c in part.connections] == ["Modbus"]
        assert part.connections[0].points == 1
        assert [*part.points] == ["Modbus.InteractionMetadata.properties.supply"]
        assert not part.bindings
        text = msgspec.json.encode(part)
        assert not [word for word in (b"192.0.2.7", b"ftp", b"Secret", b"pump") if word in text]
        with pytest.raises(Denied, match="hidden"):
            await strict.plug(ENGINEER, machines.AID)
        # Of an interface whose address is hidden, only that there is one.
        base_hidden = w.another(
            hides=lambda who, _: lambda path: path.endswith(("base", "EndpointMetadata"))
        )
        (first, *_) = (
            await plug_view(base_hidden, ENGINEER, found, await strict.kept(found))
        ).connections
        assert (first.address, first.points) == ("", 0)


async def test_the_list_of_machines_names_none_in_its_cursor(world, aid):
    async with world() as w:
        for n in range(3):
            await w.put(aid() | {"id": f"urn:verborgen:{n}"})
        after = (await w.plugger.machines.page("", 1))[1]
        cursor = w.plugger.seal.close(after)
        found, _ = await w.plugger.machines.page(w.plugger.seal.open(cursor), 1)
        assert [d.id for d in found] == ["urn:verborgen:1"]

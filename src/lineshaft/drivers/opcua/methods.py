"""Methods of a server: what they take and give, and calling them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from asyncua import ua

from lineshaft.core.errors import Refused
from lineshaft.core.point import Kind
from lineshaft.core.quality import is_bad
from lineshaft.core.settings import Settings
from lineshaft.drivers import Argument, Arguments, Feed, Method
from lineshaft.drivers.opcua.link import Link
from lineshaft.drivers.opcua.nodes import builtin_types, plain_id
from lineshaft.drivers.opcua.values import KINDS, plain, variant_for

ARRAY_MAX = 10_000
"""Values in one argument that is an array."""
ARGUMENT = ua.uaprotocol_auto.Argument
"""What comes over the wire; `ua.Argument` is a kind of it that asyncua makes for its own use."""


class MethodSettings(Settings, frozen=True, kw_only=True):
    """One method, and the object that it is called on."""

    name: str
    """Name of the method below the driver's `at`; may hold further levels."""
    object: str
    """Node identifier of the object: `ns=2;s=Press`."""
    method: str
    """Node identifier of the method: `ns=2;s=Press.Start`."""
    description: str = ""
    """One sentence for people; the server's when left out."""


class Callable(msgspec.Struct, frozen=True):
    """A method that the server knows, ready to be called."""

    method: Method
    object_id: ua.NodeId
    method_id: ua.NodeId
    types: tuple[tuple[ua.VariantType, bool], ...]
    """Built-in type of each input, and whether it is an array."""

    async def call(self, link: Link, inputs: Arguments) -> dict[str, Any]:
        """Call it once.

        Raises:
            Refused: the inputs do not fit, or the server said no.
            LinkLost: no answer came.
        """
        what = f"{link.name}: {self.method.path}"
        request = ua.CallMethodRequest()
        request.ObjectId, request.MethodId = self.object_id, self.method_id
        request.InputArguments = self._variants(inputs, what)
        with link.told(f"cannot call {self.method.path}"):
            (result,) = await link.session.call([request])
        status = result.StatusCode
        if is_bad(status.value):
            raise Refused(
                f"{what} was not done: the server says {status.name} ({status.doc})"
                f"{self._wrong_inputs(result)}",
                remedy="Look at the inputs, and at whether the machine is ready for it.",
            )
        given = [plain(variant) for variant in result.OutputArguments or []]
        names = [one.name for one in self.method.outputs]
        names += [f"output_{i}" for i in range(len(names), len(given))]
        return dict(zip(names, given, strict=False))

    def _variants(self, inputs: Arguments, what: str) -> list[ua.Variant]:
        """The inputs as the server wants them, in its order."""
        names = [one.name for one in self.method.inputs]
        if inputs.keys() != set(names):
            raise Refused(
                f"{what} takes {names or 'nothing'}, not {sorted(inputs)}",
                remedy="Give each input once, by its name.",
            )
        return [
            _variant(inputs[name], type_, f"{what}: {name}", is_array=is_array)
            for name, (type_, is_array) in zip(names, self.types, strict=True)
        ]

    def _wrong_inputs(self, result: ua.CallMethodResult) -> str:
        wrong = [
            f"{one.name}: {code.name}"
            for one, code in zip(
                self.method.inputs, result.InputArgumentResults or [], strict=False
            )
            if is_bad(code.value)
        ]
        return f"; {', '.join(wrong)}" if wrong else ""


async def find(
    link: Link, feed: Feed, at: str, wanted: Sequence[MethodSettings]
) -> dict[str, Callable]:
    """The methods that the server has, by their paths; those that it has not are told."""
    found: dict[str, Callable] = {}
    for settings in wanted:
        try:
            made = await _find(link, f"{at}/{settings.name}" if at else settings.name, settings)
        except Refused as error:
            feed.trouble(settings.method, str(error))
        else:
            feed.trouble(settings.method, None)
            found[made.method.path] = made
    return found


async def _find(link: Link, path: str, settings: MethodSettings) -> Callable:
    object_id, method_id = link.node(settings.object), link.node(settings.method)
    kind, text = await link.read(
        [(method_id, ua.AttributeIds.NodeClass), (method_id, ua.AttributeIds.Description)]
    )
    if kind.Value is None or kind.Value.Value != ua.NodeClass.Method:
        raise Refused(f"{settings.name}: {settings.method} is no method that the server knows")
    arguments = await _arguments(link, method_id)
    inputs, outputs = arguments.get("InputArguments", []), arguments.get("OutputArguments", [])
    of = await builtin_types(link, {plain_id(one.DataType) for one in (*inputs, *outputs)})

    def made(one: ua.Argument) -> Argument:
        type_, is_array = _type(one, of)
        kind = Kind.JSON if is_array else KINDS.get(type_, Kind.JSON)
        return Argument(name=one.Name or "", kind=kind, description=_words(one.Description))

    return Callable(
        Method(
            path=path,
            description=settings.description or _words(text.Value.Value if text.Value else None),
            inputs=tuple(map(made, inputs)),
            outputs=tuple(map(made, outputs)),
        ),
        object_id,
        method_id,
        tuple(_type(one, of) for one in inputs),
    )


async def _arguments(link: Link, method_id: ua.NodeId) -> dict[str, list[ua.Argument]]:
    """What the properties of the method say of its inputs and outputs."""
    (properties,) = await link.references([method_id], ua.ObjectIds.HasProperty)
    nodes = {r.BrowseName.Name: plain_id(r.NodeId) for r in properties}
    names = [n for n in ("InputArguments", "OutputArguments") if n in nodes]
    values = await link.read([(nodes[n], ua.AttributeIds.Value) for n in names])
    return {
        name: [a for a in (found.Value.Value or []) if isinstance(a, ARGUMENT)]
        for name, found in zip(names, values, strict=True)
        if found.Value is not None
    }


def _type(one: ua.Argument, of: dict[ua.NodeId, ua.NodeId]) -> tuple[ua.VariantType, bool]:
    base = of[plain_id(one.DataType)]
    if base == ua.NodeId(ua.ObjectIds.Enumeration):
        return ua.VariantType.Int32, one.ValueRank >= 0
    # An abstract number is taken as a double, anything abstract else as a variant.
    number = int(base.Identifier)
    abstract = (ua.ObjectIds.Number, ua.ObjectIds.Integer, ua.ObjectIds.UInteger)
    type_ = ua.VariantType.Double if number in abstract else ua.VariantType(number)
    return type_, one.ValueRank >= 0


def _variant(value: Any, type_: ua.VariantType, what: str, *, is_array: bool) -> ua.Variant:  # noqa: ANN401 - JSON
    if not is_array:
        if not isinstance(value, bool | int | float | str):
            raise Refused(f"{what} takes one {type_.name}, not {value!r}")
        return variant_for(value, type_, what)
    if not isinstance(value, list) or len(value) > ARRAY_MAX:
        raise Refused(f"{what} takes a list of at most {ARRAY_MAX} {type_.name}, not {value!r:.80}")
    items = [_variant(item, type_, what, is_array=False).Value for item in value]
    return ua.Variant(items, type_, is_array=True)


def _words(text: object) -> str:
    return (text.Text or "").strip() if isinstance(text, ua.LocalizedText) else ""

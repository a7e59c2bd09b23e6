/** What a quality code means: OPC UA's 32-bit status code, read by severity and name. */

export type Severity = "good" | "uncertain" | "bad";

const NAMES: Record<number, string> = {
  0x00000000: "Good",
  0x00960000: "GoodLocalOverride",
  0x40000000: "Uncertain",
  0x40900000: "UncertainLastUsableValue",
  0x40910000: "UncertainSubstituteValue",
  0x40920000: "UncertainInitialValue",
  0x40930000: "UncertainSensorNotAccurate",
  0x40940000: "UncertainEngineeringUnitsExceeded",
  0x40950000: "UncertainSubNormal",
  0x40a40000: "UncertainDataSubNormal",
  0x80000000: "Bad",
  0x80020000: "BadInternalError",
  0x80050000: "BadCommunicationError",
  0x80070000: "BadDecodingError",
  0x800a0000: "BadTimeout",
  0x800b0000: "BadServiceUnsupported",
  0x801f0000: "BadUserAccessDenied",
  0x80310000: "BadNoCommunication",
  0x80320000: "BadWaitingForInitialData",
  0x80330000: "BadNodeIdInvalid",
  0x80340000: "BadNodeIdUnknown",
  0x803a0000: "BadNotReadable",
  0x803b0000: "BadNotWritable",
  0x803c0000: "BadOutOfRange",
  0x803d0000: "BadNotSupported",
  0x80740000: "BadTypeMismatch",
  0x80890000: "BadConfigurationError",
  0x808a0000: "BadNotConnected",
  0x808b0000: "BadDeviceFailure",
  0x808c0000: "BadSensorFailure",
  0x808d0000: "BadOutOfService",
  0x809b0000: "BadNoData",
};

export function severity(code: number): Severity {
  const bits = code >>> 30;
  return bits >= 2 ? "bad" : bits === 1 ? "uncertain" : "good";
}

/** The code in OPC UA's spelling, or its severity with the figure. */
export function qualityName(code: number): string {
  const name = NAMES[(code & 0xffff0000) >>> 0];
  if (name) return name;
  const word = { good: "Good", uncertain: "Uncertain", bad: "Bad" }[severity(code)];
  return `${word} (0x${(code >>> 0).toString(16).toUpperCase().padStart(8, "0")})`;
}
